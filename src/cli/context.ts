import type { Log } from '../base/index.ts'
import type { InsecureOptions } from './insecure.ts'
import type { Interrupt } from './interrupt.ts'

/** Where configuration is read from, lowest precedence first. */
export interface ConfigDirectories {
  readonly system: string
  readonly local: string
  readonly user?: string
}

/** What `main` reads from the process, and nobody else does. */
export interface World {
  /** The words after the program's name. */
  readonly argv: readonly string[]
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd: string
  readonly euid: number
  readonly egid: number
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
