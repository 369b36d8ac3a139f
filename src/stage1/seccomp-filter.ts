import { createHash } from 'node:crypto'
import { closeSync, constants, fstatSync, mkdirSync, openSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { isErrno, libraryFile, quote, RktError, writeDurably } from '../base/index.ts'
import { profileText, type SeccompProfile } from './seccomp-profile.ts'

export interface SeccompFilterOptions {
  /** `cas/seccomp` of the data directory. */
  readonly cacheDir: string
  readonly signal?: AbortSignal
}

/** One `struct sock_filter`. */
const instructionBytes = 8
const maxInstructions = 4096
const compileTimeoutMs = 10_000

/**
 * The filter as bytes for seccomp(2): from the program's own directory (the default one, made when rkt is built), from the cache, or
 * compiled now and kept.
 *
 * @throws RktError `invalid-manifest` when the profile names a call that nobody knows, `child-failed` when the compiler fails.
 */
export async function seccompFilter(profile: SeccompProfile, options: SeccompFilterOptions): Promise<Uint8Array> {
  const text = profileText(profile)
  const built = readFilter(libraryFile(builtFilterName(text)), { trusted: true })
  if (built !== undefined) return built
  const compiler = libraryFile('seccomp')
  const path = join(options.cacheDir, `${sha256(text + compilerIdentity(compiler))}.bpf`)
  const cached = readFilter(path, { trusted: false })
  if (cached !== undefined) return cached
  const { compileSeccomp } = await import('./seccomp-compile.ts')
  const filter = await compileSeccomp(compiler, text, { timeoutMs: compileTimeoutMs, ...(options.signal === undefined ? {} : { signal: options.signal }) })
  if (!isFilterSize(filter.byteLength)) throw new RktError('child-failed', `cannot compile a seccomp filter: ${filter.byteLength} bytes came out`)
  mkdirSync(options.cacheDir, { recursive: true, mode: 0o750 })
  writeDurably(path, filter)
  return filter
}

/** Name, beside the bundle, of a filter that was compiled when rkt was built. */
export function builtFilterName(text: string): string {
  return `seccomp-${sha256(text)}.bpf`
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

/** Another compiler, another filter: libseccomp, with its table of calls, is part of that program. */
function compilerIdentity(path: string): string {
  try {
    const { size, mtimeMs } = statSync(path)
    return `${size} ${mtimeMs}`
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error
    throw new RktError('missing-tool', `cannot compile a seccomp filter: ${quote(path)} is missing; expected it beside the program of rkt`)
  }
}

/** ATTACK: a filter that somebody else could have written would be no filter, so it is compiled again. */
function readFilter(path: string, { trusted }: { readonly trusted: boolean }): Uint8Array | undefined {
  let fd: number
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW)
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ELOOP')) return undefined
    throw error
  }
  try {
    const status = fstatSync(fd)
    const ours = trusted || (status.uid === process.geteuid?.() && (status.mode & 0o022) === 0)
    return ours && status.isFile() && isFilterSize(status.size) ? readFileSync(fd) : undefined
  } finally {
    closeSync(fd)
  }
}

function isFilterSize(bytes: number): boolean {
  return bytes > 0 && bytes % instructionBytes === 0 && bytes <= maxInstructions * instructionBytes
}
