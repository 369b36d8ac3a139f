/** Configuration directories, least important first; keys are read from the first two, as in the original. */
export interface ConfigDirs {
  /** `/usr/lib/rkt` by default. */
  readonly system: string
  /** `/etc/rkt` by default; keys are added here. */
  readonly local: string
  readonly user?: string
}
