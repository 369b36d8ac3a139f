import { chmodSync, chownSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import test from 'ava'
import { openSignedScene, type SignedScene } from '../support/signed-scene.ts'
import type { RunResult } from '../support/run.ts'

const image = { busybox: false } as const

function policyPath(scene: SignedScene, name = 'policy.json', side = 'local'): string {
  const directory = `${scene.place.in('data')}.config/${side}/policy.d`
  mkdirSync(directory, { recursive: true })
  return `${directory}/${name}`
}

function writePolicy(scene: SignedScene, fields: object, side = 'local'): string {
  const path = policyPath(scene, 'policy.json', side)
  writeFileSync(path, JSON.stringify({ rktKind: 'policy', rktVersion: 'v1', prefixes: ['example.com'], ...fields }))
  return path
}

/** The command that a refusal prints. */
function hintOf({ stderr }: RunResult): string {
  return /hint: (.*)$/m.exec(stderr)?.[1] ?? ''
}

test('D12 twin: without a policy the built-in one holds: a signed image is fetched, an unsigned one refused', async (t) => {
  using scene = await openSignedScene()
  t.is((await scene.rkt(['fetch', scene.image('good', image)])).code, 0)
  const unsigned = scene.image('unsigned', { ...image, manifest: { name: 'example.com/other' } })
  rmSync(`${unsigned}.asc`)
  t.is((await scene.rkt(['fetch', unsigned])).code, 254)
})

test('D12: a policy that is not exactly one closes everything, also what was let in before and with --insecure-options=image, and is named', async (t) => {
  using scene = await openSignedScene()
  const path = scene.image('app', image)
  const fetched = await scene.rkt(['fetch', '--full', path])
  t.is(fetched.code, 0, fetched.stderr)
  const good = { rktKind: 'policy', rktVersion: 'v1', prefixes: ['example.com'] }
  const bad: Readonly<Record<string, string | Buffer>> = {
    empty: '',
    'no field': '{}',
    'a list': '[]',
    'not JSON': '{"rktKind":"policy",',
    'an unknown field': JSON.stringify({ ...good, treshold: 2 }),
    'a duplicate key': '{"rktKind":"policy","rktVersion":"v1","prefixes":["example.com"],"threshold":2,"threshold":1}',
    __proto__: '{"rktKind":"policy","rktVersion":"v1","prefixes":["example.com"],"__proto__":{"threshold":1}}',
    constructor: '{"rktKind":"policy","rktVersion":"v1","prefixes":["example.com"],"constructor":{}}',
    'not UTF-8': Buffer.from([0x7b, 0xff, 0x7d]),
    'a threshold that nothing fulfils': JSON.stringify({ ...good, signers: [scene.key], threshold: 2 }),
    'no threshold at all': JSON.stringify({ ...good, threshold: 0 }),
    'a prefix that is none': JSON.stringify({ ...good, prefixes: ['example.com/../x'] }),
    'a signer that is none': JSON.stringify({ ...good, signers: ['.*'] }),
    'nested too deep': `${'['.repeat(100_000)}`,
  }
  const policy = policyPath(scene)
  for (const [what, content] of Object.entries(bad)) {
    writeFileSync(policy, content)
    const { code, stderr } = await scene.rkt(['fetch', '--store-only', fetched.stdout.trim()])
    t.is(code, 254, what)
    t.true(stderr.includes(policy), `${what}: ${stderr}`)
  }
  t.is((await scene.rkt(['--insecure-options=image', 'fetch', fetched.stdout.trim()])).code, 254)
  writeFileSync(policy, JSON.stringify(good))
  t.is((await scene.rkt(['fetch', fetched.stdout.trim()])).code, 0)
})

test('D12: a policy that others could have written, a link, a directory and a file of another name are refused', async (t) => {
  using scene = await openSignedScene()
  const path = scene.image('app', image)
  const policy = writePolicy(scene, {})
  const refused = async (what: string): Promise<void> => {
    const { code, stderr } = await scene.rkt(['fetch', path])
    t.is(code, 254, what)
    t.true(stderr.includes(policy.replace(/[^/]*$/, '')), `${what}: ${stderr}`)
  }
  t.is((await scene.rkt(['fetch', path])).code, 0)
  chmodSync(policy, 0o666)
  await refused('writable by everybody')
  chmodSync(policy, 0o644)
  chownSync(policy, 1000, 1000)
  await refused('owned by another user')
  writeFileSync(scene.place.in('elsewhere.json'), readFileSync(policy), { mode: 0o666 })
  chmodSync(scene.place.in('elsewhere.json'), 0o666)
  rmSync(policy)
  symlinkSync(scene.place.in('elsewhere.json'), policy)
  await refused('a link to a file that everybody can write')
  rmSync(policy)
  mkdirSync(policy)
  await refused('a directory')
  rmSync(policy, { recursive: true })
  writeFileSync(policy.replace(/json$/, 'jsn'), '{}')
  await refused('another name')
  rmSync(policy.replace(/json$/, 'jsn'))
  t.is((await scene.rkt(['fetch', path])).code, 0)
})

test("an administrator's lock is not passed by --insecure-options=image, by a user's policy, or by an image that was waived before", async (t) => {
  using scene = await openSignedScene()
  const unsigned = scene.image('unsigned', image)
  rmSync(`${unsigned}.asc`)
  const waived = await scene.rkt(['--insecure-options=image', 'fetch', '--full', unsigned])
  t.is(waived.code, 0, waived.stderr)
  const path = writePolicy(scene, { prefixes: ['*'], locked: true })
  writePolicy(scene, { prefixes: ['example.com/busybox'] }, 'user')
  for (const words of [['fetch', unsigned], ['fetch', waived.stdout.trim()], ['run', '--net=none', waived.stdout.trim()], ['prepare', waived.stdout.trim()]]) {
    const { code, stderr } = await scene.rkt(['--insecure-options=image', ...words])
    t.is(code, 254)
    t.true(stderr.includes(`policy "${path}" is locked`), stderr)
  }
  const signed = scene.image('signed', { ...image, manifest: { name: 'example.com/signed' } })
  t.is((await scene.rkt(['fetch', signed])).code, 0)
  const again = await scene.rkt(['--insecure-options=image', 'fetch', '--store-only', 'example.com/signed'])
  t.is(again.code, 0, again.stderr)
})

test('a threshold counts different keys, and the refusal names who is missing', async (t) => {
  using scene = await openSignedScene()
  const second = scene.gpg.generateKey({ userID: 'Second <second@example.com>' })
  await scene.trust('example.com', second)
  const path = scene.image('app', image)
  const one = readFileSync(`${path}.asc`)
  const policy = writePolicy(scene, { threshold: 2 })
  writeFileSync(`${path}.asc`, Buffer.concat([one, scene.gpg.sign(readFileSync(path), { key: scene.key })]))
  const twice = await scene.rkt(['fetch', path])
  t.is(twice.code, 254)
  t.true(twice.stderr.includes(`policy "${policy}" refuses it: 1 of 2 needed signers count`), twice.stderr)
  t.regex(hintOf(twice), /^have it signed: rkt image sign /)
  writeFileSync(`${path}.asc`, Buffer.concat([one, scene.gpg.sign(readFileSync(path), { key: second })]))
  const both = await scene.rkt(['fetch', '--full', path])
  t.is(both.code, 0, both.stderr)
  const explained = JSON.parse((await scene.rkt(['trust', 'explain', '--format=json', both.stdout.trim()])).stdout)
  t.like(explained, { verdict: { policy }, now: { state: 'ok' } })
  t.deepEqual([explained.verdict.keyFingerprint, ...explained.verdict.coSigners].sort(), [scene.key, second].sort())
  writePolicy(scene, { signers: [scene.key, 'f'.repeat(40)] })
  const missing = await scene.rkt(['fetch', both.stdout.trim()])
  t.is(missing.code, 254, 'a policy is judged again, also for what is stored')
  t.true(hintOf(missing).includes(`--key=${'f'.repeat(40)}`), missing.stderr)
})

test('D15: an older version, an older signature, and a kind that is not accepted are refused where a policy says so', async (t) => {
  using scene = await openSignedScene()
  const path = scene.image('app', image)
  for (const [fields, ok] of [
    [{ minVersion: '1.0.0' }, true],
    [{ minVersion: '1.0.1' }, false],
    [{ minVersion: '1.0.0-rc1' }, true],
    [{ minVersion: '2' }, false],
    [{ maxAgeDays: 1 }, true],
    [{ kinds: ['openpgp'] }, true],
    [{ kinds: ['sigstore-key', 'simple-signing'] }, false],
    [{ signers: [scene.key] }, true],
    [{ signers: ['e'.repeat(40)] }, false],
    [{ selfDeclaredNames: 'allow' }, true],
  ] as const) {
    writePolicy(scene, fields)
    const { code, stderr } = await scene.rkt(['fetch', path])
    t.is(code, ok ? 0 : 254, `${JSON.stringify(fields)} ${stderr}`)
    if (!ok) t.regex(stderr, /refuses it: .*; expected /)
  }
  writePolicy(scene, { maxAgeDays: 1 })
  const old = scene.image('old', { ...image, manifest: { name: 'example.com/old' } })
  const key = scene.gpg.generateKey({ userID: 'Old <old@example.com>', time: '20240101T000000' })
  await scene.trust('example.com', key)
  writeFileSync(`${old}.asc`, scene.gpg.sign(readFileSync(old), { key, time: '20240102T000000' }))
  const aged = await scene.rkt(['fetch', old])
  t.is(aged.code, 254)
  t.true(aged.stderr.includes('one is older, or has no date'), aged.stderr)
})

test('D5: an image that says its own name is refused where a policy wants names that were asked for', async (t) => {
  using scene = await openSignedScene()
  const path = scene.image('app', image)
  writePolicy(scene, { selfDeclaredNames: 'refuse' })
  const { code, stderr } = await scene.rkt(['fetch', path])
  t.is(code, 254)
  t.true(stderr.includes('it says its name itself'), stderr)
  t.is((await scene.rkt(['fetch', path, '--expect-name=example.com/busybox'])).code, 0, stderr)
})

test('an image runs only with the isolation that its policy asks for', async (t) => {
  using scene = await openSignedScene()
  const path = scene.image('app')
  const run = (...flags: readonly string[]): Promise<RunResult> => scene.rkt(['run', '--net=host', '--private-users=false', ...flags, path, '--exec=/bin/true'])
  writePolicy(scene, { isolation: 'ns' })
  t.is((await run()).code, 0)
  const fly = await run('--isolation=fly')
  t.is(fly.code, 254)
  t.true(fly.stderr.includes('expected ns or stronger'), fly.stderr)
  const prepared = await scene.rkt(['prepare', path, '--exec=/bin/true'])
  t.is(prepared.code, 0, prepared.stderr)
  writePolicy(scene, { isolation: 'kvm' })
  for (const refused of [await run(), await scene.rkt(['run-prepared', prepared.stdout.trim()])]) {
    t.is(refused.code, 254)
    t.regex(hintOf(refused), /rkt run --isolation=kvm /)
  }
})
