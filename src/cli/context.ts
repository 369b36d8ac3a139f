import type { Log } from '../base/index.ts'
import type { InsecureOptions } from './insecure.ts'
import type { Interrupt } from './interrupt.ts'

/** Where configuration is read from, lowest precedence first. */
export interface ConfigDirectories {
  readonly system: string
  readonly local: string
  readonly user?: string
  /** Whether the user's directory holds trusted keys too, and new ones are stored there: that of an ordinary user. */
  readonly userKeys?: boolean
}

/** What the front-end found out about an ordinary user; source: src/native/rootless. */
export type Rootless =
  /** This process is root of a user namespace in which the user's own ids are mapped. */
  | { readonly kind: 'entered' }
  /** The user has subordinate ids, and yet it is not possible. */
  | { readonly kind: 'refused'; readonly reason: string }

/** What `main` reads from the process, and nobody else does. */
export interface World {
  /** The words after the program's name. */
  readonly argv: readonly string[]
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd: string
  readonly euid: number
  readonly egid: number
  /** Left out for root, and for users without subordinate ids. */
  readonly rootless?: Rootless
  /** Milliseconds since 1970. */
  readonly now: () => number
  readonly interrupt: Interrupt
}

/** What every verb gets: the world, and what the global flags say. */
export interface Context extends World {
  /** Lines for standard error, with the verb's name before them. */
  readonly log: Log
  /** Writes to standard output; a missing line end is added. */
  readonly out: (text: string) => void
  /** Aborted by SIGINT and SIGTERM. */
  readonly signal: AbortSignal
  /** Absolute path of the data directory. */
  readonly dataDir: string
  readonly config: ConfigDirectories
  readonly insecure: InsecureOptions
  /** Whether keys found over https are trusted for names for which nobody has decided anything. */
  readonly trustKeysFromHttps: boolean
  readonly debug: boolean
  /** The sealed description of the caller's process state, made by the front-end. */
  readonly callerFd?: number
}
