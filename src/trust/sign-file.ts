import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { errorText, isErrno, quote, RktError, writeDurably } from '../base/index.ts'
import { findGpg, runGpg, type GpgEnvironment, type RunGpgOptions } from './run-gpg.ts'

export interface SignFileOptions {
  /** The file to sign. */
  readonly file: string
  /** Fingerprint, key ID or mail address of a secret key, or the path of a file with one; left out, GnuPG's default key. */
  readonly key?: string | undefined
  /** The signature to write; left out, `file` and `.asc`. */
  readonly out?: string | undefined
  readonly overwrite: boolean
  readonly environment: GpgEnvironment
  /** Where a key file's temporary keyring is made; `/tmp` unless said otherwise. */
  readonly temporaryDirectory?: string | undefined
  /** How long GnuPG may take, a person typing a passphrase included. */
  readonly deadlineMs?: number | undefined
  readonly signal?: AbortSignal | undefined
}

export interface SignedFile {
  /** The signature file. */
  readonly path: string
  /** Fingerprint, in upper-case hexadecimal digits, of the key or subkey that signed. */
  readonly fingerprint: string
}

const defaultDeadlineMs = 120_000

/**
 * Writes an armoured detached OpenPGP signature of a file, made by GnuPG.
 *
 * @throws RktError `already-exists`, `io`, `missing-tool` without GnuPG, `key-invalid` for a key file without a secret key,
 * `child-failed` with GnuPG's words when it cannot sign, `timeout`.
 */
export async function signFile(options: SignFileOptions): Promise<SignedFile> {
  const file = resolve(options.file)
  const out = resolve(options.out ?? `${file}.asc`)
  checkFiles(file, { out, overwrite: options.overwrite })
  const deadlineMs = options.deadlineMs ?? defaultDeadlineMs
  const gpg = { environment: options.environment, deadlineMs, signal: options.signal }
  const keyFile = options.key === undefined ? undefined : keyFilePath(options.key)
  const signed =
    keyFile === undefined
      ? await sign(file, { key: options.key, gpg })
      : await withKeyring(options, (gnupgHome) => signWithKeyFile(file, { keyFile, gpg: { ...gpg, environment: { ...gpg.environment, gnupgHome } } }))
  writeDurably(out, signed.signature, { mode: 0o644 })
  return { path: out, fingerprint: signed.fingerprint }
}

interface Signature {
  readonly signature: Uint8Array
  readonly fingerprint: string
}

async function sign(file: string, { key, gpg }: { readonly key: string | undefined; readonly gpg: RunGpgOptions }): Promise<Signature> {
  const localUser = key === undefined ? [] : ['--local-user', key]
  const argv = ['--digest-algo', 'SHA512', ...localUser, '--armor', '--detach-sign', '--output', '-', '--', file]
  const { output, status } = await naming(file, () => runGpg(argv, gpg))
  // SPEC: GnuPG doc/DETAILS: SIG_CREATED type pubkey-algorithm hash-algorithm class timestamp fingerprint.
  const fingerprint = status.find((line) => line.startsWith('SIG_CREATED '))?.split(' ')[6]
  if (fingerprint === undefined || output.byteLength === 0) throw new RktError('child-failed', `cannot sign ${quote(file)}: gpg made no signature`)
  return { signature: output, fingerprint }
}

async function signWithKeyFile(file: string, { keyFile, gpg }: { readonly keyFile: string; readonly gpg: RunGpgOptions }): Promise<Signature> {
  await naming(file, () => runGpg(['--import', '--', keyFile], gpg))
  const { output } = await naming(file, () => runGpg(['--list-secret-keys', '--with-colons'], gpg))
  const lines = Buffer.from(output).toString('utf8').split('\n')
  const key = lines.find((line) => line.startsWith('fpr:'))?.split(':')[9]
  if (key === undefined) throw new RktError('key-invalid', `cannot sign with ${quote(keyFile)}: it has no secret key`, { hint: 'gpg --armor --export-secret-keys KEY' })
  return sign(file, { key, gpg })
}

/** A keyring of its own for one key file; its agent is told to end, and nothing of it stays. */
async function withKeyring<T>(options: SignFileOptions, use: (gnupgHome: string) => Promise<T>): Promise<T> {
  const gnupgHome = mkdtempSync(join(options.temporaryDirectory ?? '/tmp', 'rkt-sign-'))
  try {
    return await use(gnupgHome)
  } finally {
    await endAgent(gnupgHome, options.environment.path)
    rmSync(gnupgHome, { recursive: true, force: true })
  }
}

async function endAgent(gnupgHome: string, path: string): Promise<void> {
  try {
    await promisify(execFile)(findGpg(path, 'gpgconf'), ['--homedir', gnupgHome, '--kill', 'all'], { env: { PATH: path }, timeout: 10_000 })
  } catch {
    // The agent also ends by itself when its directory is gone.
  }
}

/** The path in `key` when it is a file; words that can only be a key ID or a mail address are not looked up. */
function keyFilePath(key: string): string | undefined {
  if (/^(?:0x)?(?:[0-9a-fA-F]{8}|[0-9a-fA-F]{16}|[0-9a-fA-F]{40}|[0-9a-fA-F]{64})!?$/.test(key)) return undefined
  const path = resolve(key)
  const found = statSync(path, { throwIfNoEntry: false })
  if (found?.isFile() === true) return path
  if (!key.includes('/')) return undefined
  throw new RktError('not-found', `cannot sign with ${quote(key)}: no such file; expected a key ID, a mail address or a file with a secret key`)
}

function checkFiles(file: string, { out, overwrite }: { readonly out: string; readonly overwrite: boolean }): void {
  try {
    if (!statSync(file).isFile()) throw new RktError('io', `cannot sign ${quote(file)}: not a regular file`)
  } catch (cause) {
    if (cause instanceof RktError) throw cause
    throw new RktError(isErrno(cause, 'ENOENT') ? 'not-found' : 'io', `cannot sign ${quote(file)}: ${errorText(cause)}`, { cause })
  }
  if (!overwrite && statSync(out, { throwIfNoEntry: false }) !== undefined) {
    throw new RktError('already-exists', `cannot sign ${quote(file)}: ${quote(out)} exists (try --overwrite)`)
  }
}

/** Runs gpg; a failure names the file that was to be signed. */
async function naming<T>(file: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (cause) {
    if (!(cause instanceof RktError)) throw cause
    const hint = cause.hint ?? (cause.code === 'child-failed' ? 'gpg --list-secret-keys shows the keys that can sign' : undefined)
    throw new RktError(cause.code, `cannot sign ${quote(file)}: ${cause.message}`, { cause, ...(hint === undefined ? {} : { hint }) })
  }
}
