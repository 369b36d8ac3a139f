import { readFileSync, writeFileSync } from 'node:fs'
import test, { type ExecutionContext } from 'ava'
import { openSignedScene, type SignedScene } from '../support/signed-scene.ts'

const image = { busybox: false } as const
const hour = 3_600_000

/** A time as gpg takes it. */
function at(offsetMs: number): string {
  return new Date(Date.now() + offsetMs).toISOString().replace(/[-:]|\.\d+Z$/g, '')
}

/** Fetches the image that `sign` signs, and gives the command's end. */
async function fetchSigned(one: SignedScene, sign: (content: Buffer) => Buffer): Promise<{ readonly code: number | null; readonly stderr: string }> {
  const path = one.image('signed', image)
  writeFileSync(`${path}.asc`, sign(readFileSync(path)))
  return await one.rkt(['fetch', path])
}

async function explained(t: ExecutionContext, one: SignedScene): Promise<{ readonly keyFingerprint: string; readonly fingerprint: string }> {
  const { stdout, code } = await one.rkt(['trust', 'explain', '--format=json', 'example.com/busybox'])
  t.is(code, 0)
  return JSON.parse(stdout).verdict
}

for (const algorithm of ['rsa2048', 'rsa4096', 'ed25519', 'nistp256']) {
  test(`an image signed with a ${algorithm} key of GnuPG is fetched once the key is trusted, and so is one signed by its subkey`, async (t) => {
    using one = await openSignedScene()
    const key = one.gpg.generateKey({ userID: 'Release <release@example.com>', algorithm, usage: 'cert,sign' })
    const byKey = (content: Buffer): Buffer => one.gpg.sign(content, { key: `${key}!` })
    const refused = await fetchSigned(one, byKey)
    t.is(refused.code, 254)
    t.true(refused.stderr.includes(`its key ${key} is not stored`))
    await one.trust('example.com', key)
    t.is((await fetchSigned(one, byKey)).code, 0)
    t.like(await explained(t, one), { keyFingerprint: key, fingerprint: key })
    t.is((await one.rkt(['image', 'rm', 'example.com/busybox'])).code, 0)
    // A subkey that was made later is known with the next copy of the key.
    const subkey = one.gpg.addSubkey(key, { algorithm: algorithm === 'nistp256' ? 'nistp256/ecdsa' : algorithm })
    const bySubkey = (content: Buffer): Buffer => one.gpg.sign(content, { key: `${subkey}!`, armor: false })
    t.is((await fetchSigned(one, bySubkey)).code, 254)
    await one.trust('example.com', key)
    const fetched = await fetchSigned(one, bySubkey)
    t.is(fetched.code, 0, fetched.stderr)
    t.like(await explained(t, one), { keyFingerprint: key, fingerprint: subkey })
  })
}

test('an expired key refuses what it signed before and what is stored, and its renewed copy is accepted again', async (t) => {
  using one = await openSignedScene()
  const key = one.gpg.generateKey({ userID: 'Release <release@example.com>', expire: 'seconds=7200', time: at(-3 * hour) })
  const sign = (content: Buffer): Buffer => one.gpg.sign(content, { key, time: at(-2.5 * hour) })
  await one.trust('example.com', key)
  const refused = await fetchSigned(one, sign)
  t.is(refused.code, 254)
  t.regex(refused.stderr, /expired/)
  one.gpg.run(['--quick-set-expire', key, 'seconds=86400'])
  await one.trust('example.com', key)
  t.is((await fetchSigned(one, sign)).code, 0)
})

test('a revoked key refuses an image that is stored already, and takes the others along that it vouched for', async (t) => {
  using one = await openSignedScene()
  const key = one.gpg.generateKey({ userID: 'Release <release@example.com>' })
  await one.trust('example.com', key)
  t.is((await fetchSigned(one, (content) => one.gpg.sign(content, { key }))).code, 0)
  t.is((await one.rkt(['prepare', '--quiet', 'example.com/busybox'])).code, 0)
  one.gpg.revoke(key, { reason: 1 })
  await one.trust('example.com', key)
  for (const words of [['prepare', 'example.com/busybox'], ['run', '--net=none', 'example.com/busybox'], ['fetch', '--pull-policy=never', 'example.com/busybox']]) {
    const { code, stderr } = await one.rkt(words)
    t.is(code, 254)
    t.regex(stderr, /revoked/)
  }
  // What another key vouches for is not concerned.
  t.is((await one.rkt(['fetch', one.image('other', image)])).code, 0)
  t.is((await one.rkt(['prepare', 'example.com/busybox'])).code, 0)
})
