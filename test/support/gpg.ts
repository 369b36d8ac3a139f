import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A throw-away GnuPG home with its own agent; ends with its scope. */
export interface Gpg extends Disposable {
  readonly home: string
  /** Makes a key without passphrase and gives the fingerprint of its primary key in lower case. */
  generateKey(options: GenerateOptions): string
  /** Adds a subkey and gives its fingerprint in lower case. */
  addSubkey(primary: string, options: SubkeyOptions): string
  /** Public key, armoured unless `binary`. */
  exportKey(fingerprint: string, options?: { readonly binary?: boolean }): Buffer
  /** Detached signature of `data` by this key or, with a trailing `!`, exactly this subkey. */
  sign(data: Uint8Array, options: SignOptions): Buffer
  /** Revokes the whole key: 0 no reason, 1 compromised, 2 superseded, 3 no longer used. */
  revoke(fingerprint: string, options: RevokeOptions): void
  /** Revokes the subkey with this position, counted from 1. */
  revokeSubkey(primary: string, options: RevokeOptions & { readonly index: number }): void
  /** Runs gpg and answers its questions in order, one line each. */
  talk(args: readonly string[], answers: readonly string[]): Buffer
  /** Runs gpg with these arguments, for what has no method. */
  run(args: readonly string[], options?: { readonly input?: string | Uint8Array }): Buffer
}

export interface GenerateOptions {
  readonly userID: string
  /** As gpg names it: `rsa2048`, `ed25519`, `nistp256`; with `/sign` or the like appended if needed. */
  readonly algorithm?: string
  /** `sign`, `cert`, `default`. */
  readonly usage?: string
  /** `never`, `1y`, `seconds=60`. */
  readonly expire?: string
  /** Faked time of the call, `20240102T030405`. */
  readonly time?: string
  readonly extra?: readonly string[]
}

export type SubkeyOptions = Omit<GenerateOptions, 'userID'>

export interface SignOptions {
  readonly key: string
  readonly armor?: boolean
  readonly digest?: 'SHA1' | 'SHA224' | 'SHA256' | 'SHA384' | 'SHA512'
  readonly time?: string
  readonly extra?: readonly string[]
}

export interface RevokeOptions {
  readonly reason: 0 | 1 | 2 | 3
  readonly time?: string
  readonly extra?: readonly string[]
}

/**
 * Opens a new GnuPG home in the system's directory for temporary files; the agent's socket lies in it, so the path stays short.
 *
 * @throws when gpg is not installed: a missing tool is a failure, not a skipped test.
 */
export function openGpg(): Gpg {
  const home = mkdtempSync(join(tmpdir(), 'g-'))
  writeFileSync(join(home, 'gpg.conf'), 'no-greeting\npinentry-mode loopback\nno-auto-key-locate\n')
  writeFileSync(join(home, 'gpg-agent.conf'), 'allow-loopback-pinentry\n')
  const run = (args: readonly string[], { input = '' }: { readonly input?: string | Uint8Array } = {}): Buffer =>
    execFileSync('gpg', ['--homedir', home, '--batch', '--yes', '--passphrase', '', ...args], { input, stdio: ['pipe', 'pipe', 'pipe'], maxBuffer: 1 << 26 })
  const talk = (args: readonly string[], answers: readonly string[]): Buffer =>
    execFileSync('gpg', ['--homedir', home, '--no-tty', '--command-fd', '0', '--status-fd', '2', '--passphrase', '', ...args], { input: answers.map((answer) => `${answer}\n`).join(''), stdio: ['pipe', 'pipe', 'pipe'] })
  const fingerprints = (listed: string): string[] =>
    run(['--with-colons', '--list-keys', ...(listed === '' ? [] : [listed])]).toString().split('\n').filter((line) => line.startsWith('fpr:')).map((line) => (line.split(':')[9] ?? '').toLowerCase())
  const since = (before: ReadonlySet<string>, listed: string): string => {
    const made = fingerprints(listed).find((fingerprint) => !before.has(fingerprint))
    if (made === undefined) throw new Error('gpg made no key')
    return made
  }
  return {
    home,
    run,
    talk,
    generateKey: ({ userID, algorithm = 'ed25519', usage = 'default', expire = 'never', time, extra = [] }) => {
      const before = new Set(fingerprints(''))
      run([...fakedTime(time), ...extra, '--quick-generate-key', userID, algorithm, usage, expire])
      return since(before, '')
    },
    addSubkey: (primary, { algorithm = 'ed25519', usage = 'sign', expire = 'never', time, extra = [] }) => {
      const before = new Set(fingerprints(primary))
      run([...fakedTime(time), ...extra, '--quick-add-key', primary, algorithm, usage, expire])
      return since(before, primary)
    },
    exportKey: (fingerprint, { binary = false } = {}) => run([...(binary ? [] : ['--armor']), '--export', fingerprint]),
    sign: (data, { key, armor = true, digest = 'SHA512', time, extra = [] }) =>
      run([...(armor ? ['--armor'] : []), '--digest-algo', digest, ...fakedTime(time), '--local-user', key, ...extra, '--output', '-', '--detach-sign'], { input: data }),
    revoke: (fingerprint, { reason, time, extra = [] }) => {
      const certificate = talk([...fakedTime(time), ...extra, '--output', '-', '--gen-revoke', fingerprint], ['y', `${reason}`, '', 'y'])
      run(['--import'], { input: certificate })
    },
    revokeSubkey: (primary, { index, reason, time, extra = [] }) => {
      talk([...fakedTime(time), ...extra, '--edit-key', primary], [`key ${index}`, 'revkey', 'y', `${reason}`, '', 'y', 'save'])
    },
    [Symbol.dispose]: () => {
      execFileSync('gpgconf', ['--homedir', home, '--kill', 'all'], { stdio: 'ignore' })
      rmSync(home, { recursive: true, force: true })
    },
  }
}

function fakedTime(time: string | undefined): string[] {
  return time === undefined ? [] : ['--faked-system-time', `${time}!`]
}
