import { writeWhole } from './durable.ts'
import { isErrno } from './errno.ts'

/** Where a command's words go. Made once in `cli/` and passed down; rooms below never touch the console. */
export interface Log {
  /** A line for a person, always shown: `<command>: message`. */
  info(message: string): void
  /** As `info`; for what the user should change. */
  warn(message: string): void
  /** Shown with `--debug` only; `source` is the prefix of the original (`image`, `pubkey`, `networking`, `stage0`). */
  debug(source: string, message: string): void
  /** As `debug`, but always shown, with the library's prefix. */
  notice(source: string, message: string): void
}

/** Writes all of `text` to a descriptor; a reader that went away (EPIPE) is not our failure. */
export function print(fd: number, text: string): void {
  try {
    writeWhole(fd, Buffer.from(text))
  } catch (error) {
    if (!isErrno(error, 'EPIPE')) throw error
  }
}

/** A log that writes to standard error with the prefix `<command>: `. */
export function stderrLog(command: string, options: { readonly debug: boolean }): Log {
  const line = (source: string, message: string): void => print(2, `${source}: ${message}\n`)
  return {
    info: (message) => line(command, message),
    warn: (message) => line(command, message),
    debug: (source, message) => {
      if (options.debug) line(source, message)
    },
    notice: line,
  }
}

/** A log that says nothing, for tests and for calls whose words would mislead. */
export const silentLog: Log = { info: () => undefined, warn: () => undefined, debug: () => undefined, notice: () => undefined }
