import { mkdtempSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { findProgram, runChild } from './child.ts'

export interface SignOptions {
  readonly image: string
  readonly output: string
  /** The user's GnuPG: `key` names a secret key of its key ring, or its default is used. */
  readonly key: string | undefined
  /** A secret key without a passphrase, instead of the key ring. */
  readonly keyFile: string | undefined
  /** What of the caller's environment GnuPG and its agent may see. */
  readonly env: Readonly<Record<string, string>>
  readonly signal: AbortSignal
}

/**
 * Writes an armored detached signature of a file with GnuPG, which alone handles secret keys.
 *
 * @throws RktError `missing-tool`, `child-failed`.
 */
export async function signImage(options: SignOptions): Promise<void> {
  const gpg = findProgram('gpg', 'gnupg')
  const home = options.keyFile === undefined ? undefined : mkdtempSync(join(tmpdir(), 'rkt-sign-'))
  const scratch = mkdtempSync(join(dirname(options.output), '.sign-'))
  const env = home === undefined ? options.env : { ...options.env, GNUPGHOME: home }
  const run = (args: readonly string[]): Promise<void> => runChild(gpg, { args: ['--quiet', '--yes', ...args], env, stdio: ['ignore', 'ignore', 2], signal: options.signal })
  try {
    if (options.keyFile !== undefined) await run(['--batch', '--import', options.keyFile])
    const temporary = join(scratch, 'signature')
    const user = options.key === undefined ? [] : ['--local-user', options.key]
    await run([...user, '--armor', '--detach-sign', '--output', temporary, options.image])
    renameSync(temporary, options.output)
  } finally {
    rmSync(scratch, { recursive: true, force: true })
    if (home !== undefined) await removeHome(home, options)
  }
}

/** The agent that GnuPG started for the temporary key ring must not outlive it. */
async function removeHome(home: string, { env }: SignOptions): Promise<void> {
  const gpgconf = findProgram('gpgconf', 'gnupg')
  await runChild(gpgconf, { args: ['--homedir', home, '--kill', 'all'], env, stdio: 'ignore', signal: new AbortController().signal })
  rmSync(home, { recursive: true, force: true })
}
