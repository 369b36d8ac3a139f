import { copyFileSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import test, { type ExecutionContext } from 'ava'
import { makeAci } from '../support/aci.ts'
import { openGpg } from '../support/gpg.ts'
import { rkt, type RunResult } from '../support/run.ts'
import { openSignedScene } from '../support/signed-scene.ts'
import { temporaryDirectory } from '../support/temp.ts'

/** A signed image in a store, its key trusted for `example.com` in the local directory. */
async function openTrust(t: ExecutionContext) {
  const place = temporaryDirectory()
  const gpg = openGpg()
  const config = [`--local-config=${place.in('local')}`, `--system-config=${place.in('system')}`]
  const call = (...args: readonly string[]): Promise<RunResult> => rkt([...config, ...args], { dir: place.in('data') })
  const key = gpg.generateKey({ userID: 'Signer <signer@example.com>' }).toLowerCase()
  writeFileSync(place.in('key.asc'), gpg.exportKey(key))
  copyFileSync(makeAci({ busybox: false }), place.in('app.aci'))
  writeFileSync(place.in('app.aci.asc'), gpg.sign(readFileSync(place.in('app.aci')), { key }))
  t.is((await call('trust', '--skip-fingerprint-review', '--prefix=example.com', place.in('key.asc'))).code, 0)
  const { code, stdout, stderr } = await call('fetch', '--full', place.in('app.aci'))
  t.is(code, 0, stderr)
  const explain = async () => JSON.parse((await call('trust', 'explain', '--format=json', 'example.com/busybox')).stdout)
  const keyPath = (side: 'local' | 'system'): string => place.in(side, 'trustedkeys', 'prefix.d', 'example.com', key)
  /** Runs the command that was named, and only the files of this place. */
  const follow = (command: string): Promise<RunResult> => rkt(command.split(' ').slice(1), { dir: place.in('data') })
  return { place, call, key, id: stdout.trim(), explain, keyPath, follow, [Symbol.dispose]: () => (gpg[Symbol.dispose](), place[Symbol.dispose]()) }
}

test('trust explain names the key, its file, its prefix and when; the command that it names changes the answer, and back', async (t) => {
  using one = await openTrust(t)
  const before = await one.explain()
  t.like(before, {
    id: one.id,
    name: 'example.com/busybox',
    verdict: { kind: 'signed', keyFingerprint: one.key, keyPath: one.keyPath('local'), scope: { kind: 'prefix', prefix: 'example.com' }, nameSource: 'self-declared' },
    now: { state: 'ok' },
  })
  t.true(Math.abs(Date.parse(before.verdict.judgedAt) - Date.now()) < 60_000)
  t.true(before.command.endsWith(`trust rm ${one.key} --prefix=example.com`))
  const removed = await one.follow(before.command)
  t.is(removed.stdout, `Removed key for prefix "example.com" at "${one.keyPath('local')}"\n`)
  const refused = await one.explain()
  t.like(refused.now, { state: 'refused', code: 'key-untrusted' })
  t.is((await one.call('fetch', one.id)).code, 254)
  t.true(refused.command.endsWith('trust --prefix=example.com KEYFILE'))
  t.is((await one.follow(`${refused.command.replace('KEYFILE', one.place.in('key.asc'))} --skip-fingerprint-review`)).code, 0)
  t.like((await one.explain()).now, { state: 'ok' })
  t.is((await one.call('fetch', one.id)).code, 0)
})

test('trust explain prints lines for people, with identities of keys escaped, and writes nothing', async (t) => {
  using one = await openTrust(t)
  const record = one.place.in('data', 'cas', 'images', `${one.id}.json`)
  const { ino, mtimeMs } = statSync(record)
  const { stdout, code } = await one.call('trust', 'explain', one.id)
  t.is(code, 0)
  t.regex(stdout, /^image: sha512-[0-9a-f]{64}\nname: example\.com\/busybox:1\.0\.0\nverdict: signed\nkey: [0-9A-F ]{50}\n/)
  t.regex(stdout, /^signer: Signer <signer@example\.com>$/m)
  t.regex(stdout, /^trusted for: prefix "example\.com"$/m)
  t.regex(stdout, /^now: ok$/m)
  t.like({ ...statSync(record) }, { ino, mtimeMs })
  t.is((await one.call('trust', 'explain')).code, 254)
  t.is((await one.call('trust', 'explain', 'example.com/unknown')).code, 254)
})

test('trust explain says that an unsigned image would be refused, and how to get it in signed', async (t) => {
  using place = temporaryDirectory()
  copyFileSync(makeAci({ busybox: false }), place.in('app.aci'))
  const flags = { dir: place.in('data') }
  t.is((await rkt(['--insecure-options=image', 'fetch', place.in('app.aci')], flags)).code, 0)
  const { stdout } = await rkt(['trust', 'explain', '--format=json', 'example.com/busybox'], flags)
  t.like(JSON.parse(stdout), {
    verdict: { kind: 'waived' },
    now: { state: 'refused', code: 'signature-missing' },
    command: `rkt fetch --signature=FILE.asc ${place.in('app.aci')}`,
  })
  const waived = await rkt(['--insecure-options=image', 'trust', 'explain', '--format=json', 'example.com/busybox'], flags)
  t.like(JSON.parse(waived.stdout), { now: { state: 'ok' } })
})

test('trust rm masks a key of the system directory at once, also where a local copy lies over it', async (t) => {
  using one = await openTrust(t)
  mkdirSync(one.place.in('system', 'trustedkeys', 'prefix.d', 'example.com'), { recursive: true })
  copyFileSync(one.keyPath('local'), one.keyPath('system'))
  const { stdout } = await one.call('trust', 'rm', one.key.toUpperCase(), '--prefix=example.com')
  t.is(stdout, `Masked key for prefix "example.com" at "${one.keyPath('local')}"\n`)
  t.is(statSync(one.keyPath('local')).size, 0)
  t.true(existsSync(one.keyPath('system')))
  t.like((await one.explain()).now, { state: 'refused', code: 'key-untrusted' })
  // A second time there is nothing to take away: above all not the mask.
  t.is((await one.call('trust', 'rm', one.key, '--prefix=example.com')).code, 254)
  t.is(statSync(one.keyPath('local')).size, 0)
})

test('trust rm takes fingerprints as they are printed, wants the scope, and tells where the key is trusted still', async (t) => {
  using one = await openTrust(t)
  t.is((await one.call('trust', '--skip-fingerprint-review', '--root', one.place.in('key.asc'))).code, 0)
  t.regex((await one.call('trust', 'rm', one.key)).stderr, /aborting due to implicit unbounded trust/)
  t.regex((await one.call('trust', 'rm', 'abcd', '--root')).stderr, /expected 40 hexadecimal digits/)
  const elsewhere = await one.call('trust', 'rm', one.key, '--prefix=example.org')
  t.is(elsewhere.code, 254)
  t.true(elsewhere.stderr.includes(`rkt trust rm ${one.key} --root`))
  const grouped = (await one.call('trust', 'list')).stdout.match(/[0-9A-F]{4}( {1,2}[0-9A-F]{4}){9}/)?.[0] ?? ''
  const { code, stderr } = await one.call('trust', 'rm', ...grouped.split(/ +/), '--prefix=example.com')
  t.is(code, 0)
  t.regex(stderr, /warning: the key is still trusted for every image by /)
  t.like(await one.explain(), { now: { state: 'ok' }, verdict: { scope: { kind: 'root' } } })
})

test('trust explain tells of every image of the chain; one that is refused or missing refuses the whole', async (t) => {
  using one = await openSignedScene()
  const other = one.gpg.generateKey({ userID: 'Base <base@base.example>' })
  await one.trust('base.example', other)
  const base = one.image('base', { manifest: { name: 'base.example/base' } }, other)
  const middle = one.image('middle', { busybox: false, files: { middle: '' }, manifest: { name: 'example.com/middle', dependencies: [{ imageName: 'base.example/base' }] } })
  const top = one.image('top', { busybox: false, files: { top: '' }, manifest: { name: 'example.com/top', dependencies: [{ imageName: 'example.com/middle' }] } })
  for (const path of [base, middle, top]) t.is((await one.rkt(['fetch', path])).code, 0)
  const explain = async () => JSON.parse((await one.rkt(['trust', 'explain', '--format=json', 'example.com/top'])).stdout)
  const before = await explain()
  t.like(before, { name: 'example.com/top', now: { state: 'ok' } })
  t.is(before.dependencies.length, 2)
  t.like(before.dependencies[0], { name: 'example.com/middle', verdict: { keyFingerprint: one.key }, now: { state: 'ok' } })
  t.like(before.dependencies[1], { name: 'base.example/base', verdict: { keyFingerprint: other }, now: { state: 'ok' } })
  const { stdout } = await one.rkt(['trust', 'explain', 'example.com/top'])
  t.regex(stdout, /\n\ndependency of: example\.com\/top\nimage: sha512-[0-9a-f]{64}\nname: example\.com\/middle:1\.0\.0\nverdict: signed\n/)
  t.regex(stdout, /\n\ndependency of: example\.com\/top\nimage: sha512-[0-9a-f]{64}\nname: base\.example\/base:1\.0\.0\n/)

  t.is((await rkt(before.dependencies[1].command.split(' ').slice(1), { dir: one.place.in('data') })).code, 0)
  const refused = await explain()
  t.like(refused, { verdict: { keyFingerprint: one.key }, now: { state: 'refused', code: 'key-untrusted' } })
  t.true(refused.now.reason.includes('base.example/base'))
  t.true(refused.command.endsWith('trust --prefix=base.example KEYFILE'))
  t.is((await one.rkt(['prepare', 'example.com/top'])).code, 254)
  await one.trust('base.example', other)
  t.like((await explain()).now, { state: 'ok' })

  t.is((await one.rkt(['image', 'rm', 'base.example/base'])).code, 0)
  const missing = await explain()
  t.like(missing.now, { state: 'refused', code: 'not-found' })
  t.is(missing.command, `rkt fetch ${missing.id}`)
})
