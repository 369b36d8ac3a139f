import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { signFile, type SignFileOptions } from '../../../src/trust/index.ts'

interface Workbench {
  readonly directory: string
  readonly env: Readonly<Record<string, string>>
  readonly fingerprint: string
}

/** A directory with `file`, `secret.asc`, and a key ring with one key. */
function workbench(t: ExecutionContext): Workbench {
  const directory = mkdtempSync('/tmp/rkt-test-sign-')
  const env = { PATH: process.env['PATH'] ?? '', HOME: directory, GNUPGHOME: join(directory, 'ring') }
  mkdirSync(env.GNUPGHOME, { mode: 0o700 })
  t.teardown(() => {
    execFileSync('gpgconf', ['--kill', 'all'], { env })
    rmSync(directory, { recursive: true, force: true })
  })
  execFileSync('gpg', ['--batch', '--quiet', '--passphrase', '', '--quick-gen-key', 'Signer <signer@example.com>', 'ed25519', 'sign', 'never'], { env, stdio: 'pipe' })
  writeFileSync(join(directory, 'secret.asc'), execFileSync('gpg', ['--batch', '--armor', '--export-secret-keys'], { env }))
  writeFileSync(join(directory, 'file'), 'content')
  const keys = execFileSync('gpg', ['--list-keys', '--with-colons'], { env, stdio: ['ignore', 'pipe', 'ignore'] }).toString()
  return { directory, env, fingerprint: /^fpr:+([0-9A-F]{40}):/m.exec(keys)?.[1] ?? '' }
}

function verify({ directory, env }: Workbench, signature: string): string {
  const argv = ['--batch', '--status-fd', '1', '--verify', join(directory, signature), join(directory, 'file')]
  return execFileSync('gpg', argv, { env, stdio: ['ignore', 'pipe', 'ignore'] }).toString()
}

function options({ directory, env }: Workbench, change: Partial<SignFileOptions> = {}): SignFileOptions {
  return { file: join(directory, 'file'), overwrite: false, env, temporaryDirectory: directory, ...change }
}

test('signFile() writes an armoured signature that GnuPG verifies', async (t) => {
  const bench = workbench(t)
  const signed = await signFile(options(bench))
  t.deepEqual(signed, { path: join(bench.directory, 'file.asc'), fingerprint: bench.fingerprint })
  t.true(readFileSync(signed.path, 'utf8').startsWith('-----BEGIN PGP SIGNATURE-----\n'))
  t.is(statSync(signed.path).mode & 0o777, 0o644)
  t.true(verify(bench, 'file.asc').includes(`VALIDSIG ${bench.fingerprint}`))
})

test('signFile() takes a key by its fingerprint, its ID and its address', async (t) => {
  const bench = workbench(t)
  for (const key of [bench.fingerprint, bench.fingerprint.slice(-16), 'signer@example.com']) {
    t.is((await signFile(options(bench, { key, overwrite: true }))).fingerprint, bench.fingerprint)
  }
})

test('signFile() signs with a key file and leaves neither a key ring nor an agent', async (t) => {
  const bench = workbench(t)
  const env = { PATH: bench.env['PATH'] ?? '', HOME: join(bench.directory, 'nobody') }
  const out = join(bench.directory, 'other.asc')
  const signed = await signFile(options(bench, { keyFile: join(bench.directory, 'secret.asc'), env, out }))
  t.is(signed.fingerprint, bench.fingerprint)
  t.true(verify(bench, 'other.asc').includes('GOODSIG'))
  t.deepEqual(readdirSync(bench.directory).toSorted(), ['file', 'other.asc', 'ring', 'secret.asc'])
  t.deepEqual(commandLines().filter((line) => line.includes(`${bench.directory}/rkt-sign-`)), [])
})

test('signFile() refuses to replace a signature unless it is told to', async (t) => {
  const bench = workbench(t)
  writeFileSync(join(bench.directory, 'file.asc'), 'old')
  await t.throwsAsync(signFile(options(bench)), { code: 'already-exists', message: /file\.asc" exists \(try --overwrite\)$/ })
  t.is(readFileSync(join(bench.directory, 'file.asc'), 'utf8'), 'old')
  await signFile(options(bench, { overwrite: true }))
  t.true(verify(bench, 'file.asc').includes('GOODSIG'))
})

test('signFile() says which package has gpg when there is none', async (t) => {
  const bench = workbench(t)
  const env = { ...bench.env, PATH: '/nowhere:relative' }
  await t.throwsAsync(signFile(options(bench, { env })), { code: 'missing-tool', message: /cannot find gpg/ })
  const error = await t.throwsAsync(signFile(options(bench, { env })))
  t.like(error, { hint: 'apt-get install gnupg' })
})

test('signFile() repeats what gpg says, and writes nothing', async (t) => {
  const bench = workbench(t)
  await t.throwsAsync(signFile(options(bench, { key: 'nobody@example.com' })), { code: 'child-failed', message: /^cannot sign ".*file": gpg: .*No secret key/ })
  await t.throwsAsync(signFile(options(bench, { key: '--version' })), { code: 'child-failed' })
  t.false(existsSync(join(bench.directory, 'file.asc')))
})

test('signFile() refuses a key file that has no secret key', async (t) => {
  const bench = workbench(t)
  const keyFile = join(bench.directory, 'public.asc')
  writeFileSync(keyFile, execFileSync('gpg', ['--batch', '--armor', '--export'], { env: bench.env }))
  await t.throwsAsync(signFile(options(bench, { keyFile })), { code: 'key-invalid', message: /it has no secret key/ })
  await t.throwsAsync(signFile(options(bench, { keyFile: join(bench.directory, 'none') })), { code: 'not-found' })
})

test('signFile() refuses what is no regular file', async (t) => {
  const bench = workbench(t)
  await t.throwsAsync(signFile(options(bench, { file: bench.directory, out: join(bench.directory, 'x.asc') })), { code: 'io', message: /not a regular file/ })
  await t.throwsAsync(signFile(options(bench, { file: join(bench.directory, 'none') })), { code: 'not-found' })
})

test('signFile() ends gpg at its deadline and when it is interrupted', async (t) => {
  const bench = workbench(t)
  const slow = join(bench.directory, 'bin')
  mkdirSync(slow)
  writeFileSync(join(slow, 'gpg'), '#!/bin/sh\nexec sleep 60\n', { mode: 0o755 })
  const env = { ...bench.env, PATH: `${slow}:/usr/bin:/bin` }
  await t.throwsAsync(signFile(options(bench, { env, deadlineMs: 100 })), { code: 'timeout' })
  const reason = new Error('enough')
  t.is(await t.throwsAsync(signFile(options(bench, { env, signal: AbortSignal.abort(reason) }))), reason)
})

function commandLines(): readonly string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && existsSync(`/proc/${name}/cmdline`))
    .map((name) => {
      try {
        return readFileSync(`/proc/${name}/cmdline`, 'utf8')
      } catch {
        // It ended between the two looks.
        return ''
      }
    })
}
