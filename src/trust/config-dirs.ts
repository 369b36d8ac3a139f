/** Configuration directories, least important first; keys are read from the first two, as in the original, and from an ordinary user's own. */
export interface ConfigDirs {
  /** `/usr/lib/rkt` by default. */
  readonly system: string
  /** `/etc/rkt` by default; keys are added here. */
  readonly local: string
  readonly user?: string
  /** Whether the user's directory holds keys too, the most important ones, and new ones are stored there: that of an ordinary user. */
  readonly userKeys?: boolean
}
