import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { errorText, isErrno, quote, RktError, writeDurably } from '../base/index.ts'
import { findGpg, runGpg, type RunGpgOptions } from './run-gpg.ts'

/** With which key GnuPG signs, and how it is run. */
export interface GpgSigning {
  /** Fingerprint, key ID or mail address of a key in GnuPG's key ring; left out, GnuPG's default. */
  readonly key?: string | undefined
  /** File with a secret key, instead of the key ring. */
  readonly keyFile?: string | undefined
  /** The whole environment of GnuPG: `PATH`, and what its agent needs to ask for a passphrase. */
  readonly env: Readonly<Record<string, string>>
  /** Where a key file's temporary keyring is made; `/tmp` unless said otherwise. */
  readonly temporaryDirectory?: string | undefined
  /** How long GnuPG may take, a person typing a passphrase included. */
  readonly deadlineMs?: number | undefined
  readonly signal?: AbortSignal | undefined
}

export interface SignFileOptions extends GpgSigning {
  /** The file to sign. */
  readonly file: string
  /** The signature to write; left out, `file` and `.asc`. */
  readonly out?: string | undefined
  readonly overwrite: boolean
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
  const signed = await makeSignature(file, { ...options, form: 'detached' })
  writeDurably(out, signed.signature, { mode: 0o644 })
  return { path: out, fingerprint: signed.fingerprint }
}

/** A detached signature in armour, or the signed content and its signature as one binary message. */
export type SignatureForm = 'detached' | 'message'

/**
 * Has GnuPG sign a file, and gives what it made.
 *
 * @throws RktError as `signFile`.
 */
export async function makeSignature(file: string, options: GpgSigning & { readonly form: SignatureForm }): Promise<Signature> {
  const gpg = { env: options.env, deadlineMs: options.deadlineMs ?? defaultDeadlineMs, signal: options.signal }
  const { key, keyFile, form } = options
  return keyFile === undefined ? await sign(file, { key, form, gpg }) : await signWithKeyFile(file, { options, keyFile: resolve(keyFile), gpg })
}

export interface Signature {
  readonly signature: Uint8Array
  readonly fingerprint: string
}

/** The name of a file that happens to be signed is nobody's business. */
const forms: Readonly<Record<SignatureForm, readonly string[]>> = {
  detached: ['--armor', '--detach-sign'],
  message: ['--set-filename', '', '--compress-algo', 'none', '--sign'],
}

interface SignOptions {
  readonly key: string | undefined
  readonly form: SignatureForm
  readonly gpg: RunGpgOptions
}

async function sign(file: string, { key, form, gpg }: SignOptions): Promise<Signature> {
  const localUser = key === undefined ? [] : ['--local-user', key]
  const argv = ['--digest-algo', 'SHA512', ...localUser, ...forms[form], '--output', '-', '--', file]
  const { output, status } = await naming(file, () => runGpg(argv, gpg))
  // SPEC: GnuPG doc/DETAILS: SIG_CREATED type pubkey-algorithm hash-algorithm class timestamp fingerprint.
  const fingerprint = status.find((line) => line.startsWith('SIG_CREATED '))?.split(' ')[6]
  if (fingerprint === undefined || output.byteLength === 0) throw new RktError('child-failed', `cannot sign ${quote(file)}: gpg made no signature`)
  return { signature: output, fingerprint }
}

interface KeyFileOptions {
  readonly options: GpgSigning & { readonly form: SignatureForm }
  readonly keyFile: string
  readonly gpg: RunGpgOptions
}

/** Signs with a key ring made for one key file: its agent is told to end, and nothing of it stays. */
async function signWithKeyFile(file: string, { options, keyFile, gpg }: KeyFileOptions): Promise<Signature> {
  if (statSync(keyFile, { throwIfNoEntry: false })?.isFile() !== true) throw new RktError('not-found', `cannot sign with ${quote(keyFile)}: no such file`)
  const keyring = mkdtempSync(join(options.temporaryDirectory ?? '/tmp', 'rkt-sign-'))
  const env = { ...options.env, GNUPGHOME: keyring }
  try {
    return await importAndSign(file, { options, keyFile, gpg: { ...gpg, env } })
  } finally {
    await endAgent(keyring, env)
    rmSync(keyring, { recursive: true, force: true })
  }
}

async function importAndSign(file: string, { options: { form }, keyFile, gpg }: KeyFileOptions): Promise<Signature> {
  await naming(file, () => runGpg(['--import', '--', keyFile], gpg))
  const { output } = await naming(file, () => runGpg(['--list-secret-keys', '--with-colons'], gpg))
  const lines = Buffer.from(output).toString('utf8').split('\n')
  const key = lines.find((line) => line.startsWith('fpr:'))?.split(':')[9]
  if (key === undefined) {
    throw new RktError('key-invalid', `cannot sign with ${quote(keyFile)}: it has no secret key`, { hint: 'gpg --armor --export-secret-keys KEY' })
  }
  return sign(file, { key, form, gpg })
}

async function endAgent(keyring: string, env: Readonly<Record<string, string>>): Promise<void> {
  try {
    await promisify(execFile)(findGpg(env, 'gpgconf'), ['--homedir', keyring, '--kill', 'all'], { env: { ...env }, timeout: 10_000 })
  } catch {
    // The agent also ends by itself when its directory is gone.
  }
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
