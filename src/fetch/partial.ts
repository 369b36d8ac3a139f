import { createHash } from 'node:crypto'
import { closeSync, constants, fstatSync, ftruncateSync, openSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { isErrno, isRktError, limits, lockDescriptor, parseStrictJson, writeDurably } from '../base/index.ts'

/** What must be unchanged on the server for the rest of a download to belong to its start. */
export interface Validator {
  /** A strong ETag, or a Last-Modified date old enough to be strong: the value for `If-Range`. */
  readonly ifRange: string
  readonly totalBytes: number
}

/** A download that may have begun in an earlier process: `partial-<sha256 of URL>` beside a sidecar with its validator. */
export interface Partial extends Disposable {
  readonly fd: number
  readonly path: string
  /** Bytes that are there and still worth something; 0 without a validator. */
  readonly sizeBytes: number
  readonly validator: Validator | undefined
  /** Forgets everything that was there. */
  restart(): void
  /** Makes what arrives now resumable. */
  remember(validator: Validator): void
  /** Moves the finished file to `target`. */
  finish(target: string): void
}

/** Opens the partial download of a URL, locked; undefined while another process works on the same one, or when it is not ours. */
export function openPartial(directory: string, url: string): Partial | undefined {
  const path = join(directory, `partial-${createHash('sha256').update(url).digest('hex')}`)
  const sidecar = `${path}.json`
  const fd = openOwn(path)
  if (fd === undefined) return undefined
  if (!lockDescriptor(fd, { mode: 'exclusive', wait: 'try' }) || !isStillThere(fd, path)) {
    closeSync(fd)
    return undefined
  }
  const validator = readValidator(sidecar, url)
  let worthKeeping = true
  const restart = (): void => {
    worthKeeping = false
    rmSync(sidecar, { force: true })
    ftruncateSync(fd, 0)
  }
  if (validator === undefined || fstatSync(fd).size >= validator.totalBytes) restart()
  return {
    fd,
    path,
    sizeBytes: fstatSync(fd).size,
    validator,
    restart,
    remember: (next) => {
      writeDurably(sidecar, JSON.stringify({ version: 1, url, ...next }), { mode: 0o600 })
      worthKeeping = true
    },
    finish: (target) => {
      rmSync(sidecar, { force: true })
      renameSync(path, target)
      worthKeeping = true
    },
    [Symbol.dispose]: () => {
      if (!worthKeeping) rmSync(path, { force: true })
      closeSync(fd)
    },
  }
}

/** KERNEL: with fs.protected_regular a file of another user in a sticky directory cannot even be opened. */
function openOwn(path: string): number | undefined {
  try {
    return openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW | constants.O_NONBLOCK, 0o600)
  } catch (error) {
    if (isErrno(error, 'EACCES', 'EPERM', 'ELOOP', 'EISDIR', 'ENXIO')) return undefined
    throw error
  }
}

/** A locked name could have been moved into place by its last owner between our open and our lock. */
function isStillThere(fd: number, path: string): boolean {
  const ours = fstatSync(fd)
  const there = statSync(path, { throwIfNoEntry: false })
  // SAFETY: in a directory that several users write to, only a file of our own may be continued.
  return there !== undefined && there.ino === ours.ino && there.dev === ours.dev && ours.isFile() && ours.uid === process.geteuid?.()
}

function readValidator(sidecar: string, url: string): Validator | undefined {
  try {
    const json = parseStrictJson(readFileSync(sidecar), { what: 'record of a partial download', maxBytes: limits.signatureBytes })
    if (typeof json !== 'object' || json === null || !('ifRange' in json) || !('totalBytes' in json) || !('url' in json)) return undefined
    const { ifRange, totalBytes } = json
    if (json.url !== url || typeof ifRange !== 'string' || typeof totalBytes !== 'number' || !Number.isSafeInteger(totalBytes)) return undefined
    return { ifRange, totalBytes }
  } catch (error) {
    // A sidecar that is missing or damaged only costs the resumption.
    if (isErrno(error, 'ENOENT') || isRktError(error)) return undefined
    throw error
  }
}
