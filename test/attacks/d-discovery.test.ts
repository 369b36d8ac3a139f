import test from 'ava'
import { existsSync, readFileSync, writeFileSync, mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import type { ExecutionContext } from 'ava'
import { openPublisher, type PublisherScene } from '../support/publisher-scene.ts'

const name = 'images.example/app'
const imageTag = ['ac-discovery', 'images.example https://images.example/files/app.{ext}'] as const
const keyTag = ['ac-discovery-pubkeys', 'images.example https://images.example/keys.asc'] as const
const trust = ['trust', `--prefix=${name}`, '--skip-fingerprint-review']
const fetchTrusting = ['--trust-keys-from-https', 'fetch', name]

/** A publisher with a signed image and its key, and the page that tells of both; gives the key's fingerprint. */
function publishApp(one: PublisherScene): string {
  const key = one.gpg.generateKey({ userID: 'Publisher <publisher@images.example>' })
  one.image('app.aci', key, { manifest: { name } })
  one.publish('images.example/keys.asc', one.gpg.exportKey(key))
  one.page(name, [imageTag, keyTag])
  return key
}

/** Neither a person's `trust` nor a fetch that trusts by itself may store a key or an image. */
async function refusesBoth(t: ExecutionContext, one: PublisherScene, expected: RegExp): Promise<void> {
  for (const args of [trust, fetchTrusting]) {
    const { code, stderr } = await one.rkt(args)
    t.is(code, 254, args.join(' '))
    t.regex(stderr, expected, args.join(' '))
  }
  t.deepEqual(one.keys(), [])
  t.is((await one.rkt(['image', 'list', '--no-legend'])).stdout, '\n')
}

/** The positive twin: both work. */
async function acceptsBoth(t: ExecutionContext, one: PublisherScene, key: string): Promise<void> {
  const fetched = await one.rkt(fetchTrusting)
  t.is(fetched.code, 0, fetched.stderr)
  t.regex(fetched.stderr, /pubkey: prefix: "images\.example\/app"\nkey: "https:.*"\npubkey: Added key for prefix "images\.example\/app" at /)
  t.deepEqual(one.keys(), [`prefix.d/${name}/${key}`])
  const trusted = await one.rkt(trust)
  t.is(trusted.code, 0, trusted.stderr)
  t.deepEqual(one.keys(), [`prefix.d/${name}/${key}`])
}

test('D13: a publisher with http alone is refused, and no key is taken over http by itself even where http is allowed', async (t) => {
  await using one = await openPublisher()
  const key = publishApp(one)
  one.page(name, [
    ['ac-discovery', 'images.example http://images.example/files/app.{ext}'],
    ['ac-discovery-pubkeys', 'images.example http://images.example/keys.asc'],
  ])
  one.publish('only-http', '')
  await refusesBoth(t, one, /discovery failed/)
  t.false(one.asked().some((line) => line.startsWith('http ')))
  const allowed = await one.rkt(['--insecure-options=http,tls', ...fetchTrusting])
  t.is(allowed.code, 254)
  t.regex(allowed.stderr, /signature made by unknown entity/)
  t.deepEqual(one.keys(), [])
  const trusted = await one.rkt([...trust, '--insecure-allow-http'])
  t.is(trusted.code, 0, trusted.stderr)
  t.deepEqual(one.keys(), [`prefix.d/${name}/${key}`])
  t.is((await one.rkt(['--insecure-options=http', 'fetch', name])).code, 0)
  t.is((await one.rkt(['fetch', '--pull-policy=update', name])).code, 254)
})

test('D13: a page that redirects from https to http is refused; to https it is followed', async (t) => {
  await using one = await openPublisher()
  const key = publishApp(one)
  const page = readFileSync(one.place.in('site', `${name}.html`))
  one.publish('images.example/moved', page)
  one.redirect({ [`https://${name}`]: 'http://images.example/moved' })
  await refusesBoth(t, one, /cannot follow redirect of .*: expected https/)
  t.false(one.asked().some((line) => line.startsWith('http ')))
  const allowed = await one.rkt(['--insecure-options=http', ...trust, '--insecure-allow-http'])
  t.regex(allowed.stderr, /cannot follow redirect/)
  one.redirect({ [`https://${name}`]: 'https://images.example/moved' })
  await acceptsBoth(t, one, key)
})

test('D13: keys that redirect from https to http are refused', async (t) => {
  await using one = await openPublisher()
  const key = publishApp(one)
  one.publish('images.example/moved', readFileSync(one.place.in('site', 'images.example/keys.asc')))
  one.redirect({ 'https://images.example/keys.asc': 'http://images.example/moved' })
  await refusesBoth(t, one, /cannot follow redirect of .*: expected https/)
  one.redirect({ 'https://images.example/keys.asc': 'https://images.example/moved' })
  await acceptsBoth(t, one, key)
})

test('D13: a server without a certificate for the name is refused, also for automatic trust with TLS given up', async (t) => {
  await using one = await openPublisher()
  const key = publishApp(one)
  const wrong = 'wrong.example/app'
  one.image('wrong.aci', key, { manifest: { name: wrong } })
  one.publish('wrong.example/keys.asc', one.gpg.exportKey(key))
  one.page(wrong, [
    ['ac-discovery', 'wrong.example https://images.example/files/wrong.{ext}'],
    ['ac-discovery-pubkeys', 'wrong.example https://wrong.example/keys.asc'],
  ])
  for (const args of [['trust', `--prefix=${wrong}`, '--skip-fingerprint-review'], ['--trust-keys-from-https', 'fetch', wrong], ['--insecure-options=tls', '--trust-keys-from-https', 'fetch', wrong]]) {
    const { code, stderr } = await one.rkt(args)
    t.is(code, 254)
    t.regex(stderr, /the server's certificate or handshake is not accepted/)
  }
  t.deepEqual(one.keys(), [])
  await acceptsBoth(t, one, key)
})

test('D13: tags for other prefixes are not used', async (t) => {
  await using one = await openPublisher()
  const key = publishApp(one)
  one.page(name, [
    ['ac-discovery', 'other.example https://images.example/files/app.{ext}'],
    ['ac-discovery-pubkeys', 'other.example https://images.example/keys.asc'],
    ['ac-discovery-pubkeys', 'images.example/application https://images.example/keys.asc'],
    ['ac-discovery-pubkeys', 'mages.example https://images.example/keys.asc'],
  ])
  await refusesBoth(t, one, /discovery failed/)
  one.page(name, [['ac-discovery-pubkeys', 'other.example https://images.example/other.asc'], imageTag, keyTag])
  await acceptsBoth(t, one, key)
})

test('D13: tags that visitors wrote into the page are not used', async (t) => {
  await using one = await openPublisher()
  const key = publishApp(one)
  one.publish(`${name}.html`, `<html><head><title><meta name="${keyTag[0]}" content="${keyTag[1]}"></title></head><body><meta name="${imageTag[0]}" content="${imageTag[1]}"></body></html>`)
  await refusesBoth(t, one, /discovery failed/)
  one.page(name, [imageTag, keyTag])
  await acceptsBoth(t, one, key)
})

test('D13: keys on another host than their page are refused, and accepted when a person names them', async (t) => {
  await using one = await openPublisher()
  const key = publishApp(one)
  one.publish('other.example/keys.asc', one.gpg.exportKey(key))
  one.page(name, [imageTag, ['ac-discovery-pubkeys', 'images.example https://other.example/keys.asc']])
  await refusesBoth(t, one, /they are on another host than the page that names them/)
  t.false(one.asked().some((line) => line.includes('other.example')))
  const named = await one.rkt([...trust, 'https://other.example/keys.asc'])
  t.is(named.code, 0, named.stderr)
  t.deepEqual(one.keys(), [`prefix.d/${name}/${key}`])
})

test('D13: a page without end is given up after a megabyte; one just below that is read', async (t) => {
  await using one = await openPublisher()
  const key = publishApp(one)
  one.publish('huge', '')
  await refusesBoth(t, one, /expected a page of at most 1048576 bytes/)
  const sent = readFileSync(one.place.in('site', 'sent'), 'utf8').trim().split('\n').map(Number)
  for (const bytes of sent) t.true(bytes < 64 * 1_048_576, `${bytes}`)
  await using other = await openPublisher()
  const otherKey = publishApp(other)
  other.page(name, [imageTag, keyTag], `<!-- ${'x'.repeat(1_000_000)} -->`)
  await acceptsBoth(t, other, otherKey)
  t.truthy(key)
})

test('D14: once a key is trusted, another one that discovery offers is not added by itself, and what it signed is refused', async (t) => {
  await using one = await openPublisher()
  const first = publishApp(one)
  await acceptsBoth(t, one, first)
  const second = one.gpg.generateKey({ userID: 'Impostor <impostor@images.example>' })
  one.image('app.aci', second, { manifest: { name, annotations: [{ name: 'second', value: 'yes' }] } })
  one.publish('images.example/keys.asc', one.gpg.exportKey(second))
  one.asked()
  const swapped = await one.rkt(fetchTrusting)
  t.is(swapped.code, 254)
  t.regex(swapped.stderr, /signature made by unknown entity/)
  t.deepEqual(one.keys(), [`prefix.d/${name}/${first}`])
  t.false(one.asked().some((line) => line.includes('keys.asc')))
  const reviewed = await one.rkt(['trust', `--prefix=${name}`], { tty: true, input: 'yes\n' })
  t.is(reviewed.code, 0, reviewed.stdout)
  t.deepEqual([...one.keys()].sort(), [first, second].map((key) => `prefix.d/${name}/${key}`).sort())
  t.is((await one.rkt(['fetch', name])).code, 0)
})

test('D14: a key that the administrator masked does not come back by itself', async (t) => {
  await using one = await openPublisher()
  const key = publishApp(one)
  const mask = one.place.in('data.config', 'local', 'trustedkeys', 'prefix.d', name, key)
  mkdirSync(dirname(mask), { recursive: true })
  writeFileSync(mask, '')
  const { code, stderr } = await one.rkt(fetchTrusting)
  t.is(code, 254)
  t.regex(stderr, /signature made by unknown entity/)
  t.is(readFileSync(mask, 'utf8'), '')
})

test('D14: without a terminal no key is stored, whatever standard input says; with one, yes stores it', async (t) => {
  await using one = await openPublisher()
  const key = publishApp(one)
  const silent = await one.rkt(['trust', `--prefix=${name}`], { input: 'yes\n'.repeat(100) })
  t.is(silent.code, 254)
  t.regex(silent.stderr, /error reviewing key: unable to ask user to review fingerprint due to lack of tty/)
  t.deepEqual(one.keys(), [])
  t.is((await one.rkt(['trust', `--prefix=${name}`], { tty: true, input: 'yes\n' })).code, 0)
  t.deepEqual(one.keys(), [`prefix.d/${name}/${key}`])
})

test('D14: keys are not taken from anywhere by a fetch that was not told so', async (t) => {
  await using one = await openPublisher()
  publishApp(one)
  const { code, stderr } = await one.rkt(['fetch', name])
  t.is(code, 254)
  t.regex(stderr, /signature made by unknown entity/)
  t.false(one.asked().some((line) => line.includes('keys.asc')))
  t.false(existsSync(one.place.in('data.config', 'local', 'trustedkeys')))
})
