import { closeSync, type Stats, fstatSync, openSync, readdirSync, readlinkSync, readSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { isErrno } from '../base/index.ts'
import { type LogLine, parseLogLine } from './log-line.ts'

const chunkBytes = 65_536
const newline = 0x0a

/** KERNEL: times of files come from a clock that ticks behind the one of the lines. */
const mtimeSlackMs = 1000

/**
 * Reads the log of an app, which may still grow: each call of `lines` goes on where the one before ended. The launcher renames a full
 * file to `NAME.1`, that one to `NAME.2`, and so on; an open file is read to its end wherever it went, then the one that came after it.
 */
export class LogFile implements Disposable {
  readonly #path: string
  readonly #format: 'cri' | 'plain'
  #fd: number | undefined
  #offset = 0
  #rest: Uint8Array = new Uint8Array()

  /** @param path of the newest file; a link leads to where an operator has put the log, in the plain format. */
  constructor(path: string) {
    const elsewhere = linkTarget(path)
    this.#path = elsewhere ?? path
    this.#format = elsewhere === undefined ? 'cri' : 'plain'
  }

  /** The directory that changes when lines come. */
  get directory(): string {
    return dirname(this.#path)
  }

  /** The whole lines that are there now; what is not a log line is passed over, and files that were not written since `sinceMs`. */
  *lines(sinceMs = 0): Generator<LogLine> {
    this.#fd ??= this.#openOldest()
    while (this.#fd !== undefined) {
      if (fstatSync(this.#fd).mtimeMs + mtimeSlackMs >= sinceMs) yield* this.#read(this.#fd)
      const next = this.#openNext(this.#fd)
      if (next === undefined) return
      // What was written between our end of file and the renaming; nothing comes after it.
      yield* this.#read(this.#fd)
      closeSync(this.#fd)
      this.#fd = next
      this.#offset = 0
      this.#rest = new Uint8Array()
    }
  }

  [Symbol.dispose](): void {
    if (this.#fd !== undefined) closeSync(this.#fd)
    this.#fd = undefined
  }

  *#read(fd: number): Generator<LogLine> {
    const chunk = Buffer.alloc(chunkBytes)
    for (;;) {
      const count = readSync(fd, chunk, 0, chunk.length, this.#offset)
      if (count === 0) return
      this.#offset += count
      let bytes: Uint8Array = Buffer.concat([this.#rest, chunk.subarray(0, count)])
      for (let end = bytes.indexOf(newline); end !== -1; end = bytes.indexOf(newline)) {
        const line = parseLogLine(bytes.subarray(0, end), this.#format)
        bytes = bytes.subarray(end + 1)
        this.#rest = bytes
        if (line !== undefined) yield line
      }
      this.#rest = bytes
    }
  }

  /** An app that has written nothing yet may have no file. A renaming between looking and opening is seen by an older file behind ours. */
  #openOldest(): number | undefined {
    for (;;) {
      const [oldest] = this.#names()
      if (oldest === undefined) return undefined
      const fd = openIfThere(oldest.path)
      if (fd === undefined) continue
      if (openedOldest(this.#names(), fstatSync(fd))) return fd
      closeSync(fd)
    }
  }

  /** The file that was begun after the open one; undefined when that is the newest. */
  #openNext(fd: number): number | undefined {
    for (;;) {
      const own = fstatSync(fd)
      const names = this.#names()
      const at = names.findIndex(({ path }) => isSame(statIfThere(path), own))
      if (at === names.length - 1 && at !== -1) return undefined
      // Removed while it was read: the oldest that is left comes next. Not found, but not removed: it is being renamed.
      if (at === -1 && own.nlink > 0) continue
      const next = names[at + 1]
      if (next === undefined) return undefined
      const opened = openIfThere(next.path)
      if (opened === undefined) continue
      // Names move while they are looked at: what was opened must still stand right behind ours.
      const after = this.#names()
      const position = after.findIndex(({ path }) => isSame(statIfThere(path), fstatSync(opened)))
      if (at === -1 ? position === 0 : isSame(statIfThere(after[position - 1]?.path ?? ''), own)) return opened
      closeSync(opened)
    }
  }

  /** The files of the log, the oldest first. */
  #names(): readonly { readonly path: string; readonly number: number }[] {
    const name = basename(this.#path)
    let entries: readonly string[]
    try {
      entries = readdirSync(this.directory)
    } catch (error) {
      if (isErrno(error, 'ENOENT')) return []
      throw error
    }
    return entries
      .flatMap((entry) => {
        if (entry === name) return [{ path: this.#path, number: 0 }]
        const [, digits] = entry.startsWith(`${name}.`) ? (/^([1-9]\d{0,2})$/.exec(entry.slice(name.length + 1)) ?? []) : []
        return digits === undefined ? [] : [{ path: join(this.directory, entry), number: Number(digits) }]
      })
      .sort((a, b) => b.number - a.number)
  }
}

function openedOldest(names: readonly { readonly path: string }[], own: Stats): boolean {
  const [oldest] = names
  return oldest !== undefined && isSame(statIfThere(oldest.path), own)
}

function isSame(a: Stats | undefined, b: Stats): boolean {
  return a !== undefined && a.dev === b.dev && a.ino === b.ino
}

function statIfThere(path: string): Stats | undefined {
  return statSync(path, { throwIfNoEntry: false })
}

function openIfThere(path: string): number | undefined {
  try {
    return openSync(path, 'r')
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined
    throw error
  }
}

function linkTarget(path: string): string | undefined {
  try {
    return readlinkSync(path)
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'EINVAL')) return undefined
    throw error
  }
}
