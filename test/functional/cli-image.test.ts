import { appendFileSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import test from 'ava'
import { aciManifest, makeAci } from '../support/aci.ts'
import { openGpg } from '../support/gpg.ts'
import { makeAuthority, serveHttp, serveHttps } from '../support/https.ts'
import { rkt } from '../support/run.ts'
import { temporaryDirectory } from '../support/temp.ts'
import { openScene } from './cli-scene.ts'

test('fetch prints a short ID, or the whole one', async (t) => {
  using place = temporaryDirectory()
  const flags = { dir: place.in('data') }
  const short = await rkt(['--insecure-options=image', 'fetch', makeAci()], flags)
  const full = await rkt(['--insecure-options=image', 'fetch', '--full', makeAci()], flags)
  t.regex(short.stdout, /^sha512-[0-9a-f]{32}\n$/)
  t.regex(full.stdout, /^sha512-[0-9a-f]{64}\n$/)
  t.true(full.stdout.startsWith(short.stdout.trim()))
  t.regex(short.stderr, /^image: warning: image signature verification has been disabled\n$/)
  t.regex((await rkt(['fetch'], flags)).stderr, /must provide at least one image/)
})

test('image list shows the fields that are asked for, sorted', async (t) => {
  using scene = await openScene(t)
  await scene.rkt(['fetch', makeAci({ manifest: { name: 'example.com/another' }, busybox: false })])
  const table = (await scene.rkt(['image', 'list', '--fields=name,size', '--sort=name'])).stdout.split('\n').map((line) => line.split(/\t+/))
  t.deepEqual(table[0], ['NAME', 'SIZE'])
  t.deepEqual(table.slice(1, 3).map(([name]) => name), ['example.com/another:1.0.0', 'example.com/busybox:1.0.0'])
  const descending = (await scene.rkt(['image', 'list', '--fields=name', '--sort=size', '--order=desc', '--no-legend'])).stdout
  t.is(descending, 'example.com/busybox:1.0.0\nexample.com/another:1.0.0\n')
  t.is((await scene.rkt(['image', 'list', '--fields=frob'])).code, 254)
})

test('image list prints JSON in one line or indented', async (t) => {
  using scene = await openScene(t)
  const compact = (await scene.rkt(['image', 'list', '--format=json'])).stdout
  t.true(compact.startsWith('[{'))
  const [image] = JSON.parse(compact)
  t.like(image, { id: scene.image, name: 'example.com/busybox:1.0.0' })
  t.true(image.size > 1_000_000 && image.import_time > 1e18 && image.last_used_time > 1e18)
  t.true((await scene.rkt(['image', 'list', '--format=json-pretty'])).stdout.includes('"id": "'))
})

test('image cat-manifest takes IDs, prefixes of them, and names', async (t) => {
  using scene = await openScene(t)
  for (const text of [scene.image, scene.image.slice(0, 12), 'example.com/busybox', 'example.com/busybox:1.0.0']) {
    t.like(JSON.parse((await scene.rkt(['image', 'cat-manifest', text])).stdout), { name: 'example.com/busybox' })
  }
  const unknown = await scene.rkt(['image', 'cat-manifest', 'example.com/unknown'])
  t.is(unknown.code, 254)
  t.regex(unknown.stderr, /^cat-manifest: cannot find image "example\.com\/unknown"/)
})

test('image rm counts one image once, and goes on after a failure', async (t) => {
  using scene = await openScene(t)
  const { code, stdout, stderr } = await scene.rkt(['image', 'rm', 'example.com/busybox', scene.image, 'example.com/unknown'])
  t.is(code, 254)
  t.is(stdout, `successfully removed aci for image: "${scene.image}"\n`)
  t.regex(stderr, /^rm: 1 image\(s\) successfully removed$/m)
  t.regex(stderr, /^rm: error\(s\) found while removing images$/m)
  t.is((await scene.rkt(['image', 'list', '--no-legend'])).stdout, '\n')
  t.regex((await scene.rkt(['image', 'rm'])).stderr, /must provide at least one image ID/)
})

test('a pod outlives its image; image gc takes the tree when the pod is gone', async (t) => {
  using scene = await openScene(t)
  const trees = (): readonly string[] => readdirSync(scene.place.in('data', 'cas', 'tree'))
  const uuid = (await scene.rkt(['prepare', scene.image])).stdout.trim()
  await scene.rkt(['image', 'rm', scene.image])
  t.is((await scene.rkt(['image', 'gc'])).code, 0)
  t.is(trees().length, 1)
  t.is((await scene.rkt(['run-prepared', '--net=none', uuid])).code, 0)
  await scene.rkt(['rm', uuid])
  t.regex((await scene.rkt(['image', 'gc'])).stderr, /^gc: removed treestore "deps-sha512-[0-9a-f]{64}"$/m)
  t.deepEqual(trees(), [])
})

test('image gc removes images that nobody used for long', async (t) => {
  using scene = await openScene(t)
  await scene.rkt(['image', 'gc'])
  t.not((await scene.rkt(['image', 'list', '--no-legend'])).stdout, '\n')
  await scene.rkt(['image', 'gc', '--grace-period=0s'])
  t.is((await scene.rkt(['image', 'list', '--no-legend'])).stdout, '\n')
})

test('image verify finds and repairs a damaged tree', async (t) => {
  using scene = await openScene(t)
  t.is((await scene.rkt(['image', 'verify', scene.image])).stdout, `successfully verified checksum for image: "example.com/busybox:1.0.0" ("${scene.image}")\n`)
  const [tree = ''] = readdirSync(scene.place.in('data', 'cas', 'tree'))
  const passwd = scene.place.in('data', 'cas', 'tree', tree, 'rootfs', 'etc', 'passwd')
  const before = readFileSync(passwd)
  appendFileSync(passwd, 'intruder')
  const repaired = await scene.rkt(['image', 'verify', scene.image])
  t.is(repaired.code, 0, repaired.stderr)
  t.regex(repaired.stderr, /tree cache verification failed for image "example\.com\/busybox:1\.0\.0".*; {2}rebuilding\.\.\./)
  t.deepEqual(readFileSync(passwd), before)
})

test('image build makes the same bytes each time, which actool accepts and rkt runs', async (t) => {
  using place = temporaryDirectory()
  mkdirSync(place.in('rootfs', 'bin'), { recursive: true })
  execFileSync('cp', ['/bin/busybox', place.in('rootfs', 'bin')])
  writeFileSync(place.in('manifest'), JSON.stringify(aciManifest({ app: { exec: ['/bin/busybox', 'echo', 'built'] } })))
  const build = (out: string, ...flags: string[]): ReturnType<typeof rkt> => rkt(['image', 'build', '--manifest=manifest', '--rootfs', 'rootfs', ...flags, out], { cwd: place.path })
  t.regex((await build('a.aci')).stdout, /^sha512-[0-9a-f]{64}\n$/)
  await build('b.aci')
  t.deepEqual(readFileSync(place.in('a.aci')), readFileSync(place.in('b.aci')))
  execFileSync('actool', ['validate', place.in('a.aci')])
  t.regex((await build('a.aci')).stderr, /output ACI file exists \(try --overwrite\)/)
  t.is((await build('a.aci', '--overwrite', '--compression=none')).code, 0)
  t.regex((await build('a.tar')).stderr, /extension must be \.aci/)
  const ran = await rkt(['--insecure-options=image', 'run', '--rm', '--net=none', place.in('a.aci')], { dir: place.in('data') })
  t.is(ran.stdout, 'built\n')
})

test('sign, trust, fetch, run, status: the whole way, and a signature that GnuPG verifies', async (t) => {
  using place = temporaryDirectory()
  using gpg = openGpg()
  const fingerprint = gpg.generateKey({ userID: 'Signer <signer@example.com>' })
  const image = place.in('image.aci')
  execFileSync('cp', [makeAci({ manifest: { app: { exec: ['/bin/echo', 'signed'] } } }), image])
  const flags = { dir: place.in('data'), env: { GNUPGHOME: gpg.home } }
  const signed = await rkt(['image', 'sign', `--key=${fingerprint}`, image], flags)
  t.is(signed.code, 0, signed.stderr)
  gpg.run(['--verify', `${image}.asc`, image])
  t.regex((await rkt(['image', 'sign', image], flags)).stderr, /exists \(try --overwrite\)/)

  const refused = await rkt(['run', '--net=none', image], flags)
  t.is(refused.code, 254)
  t.regex(refused.stderr, /openpgp: signature made by unknown entity/)
  t.regex(refused.stderr, /^run: hint: .*rkt trust --prefix=/m)

  writeFileSync(place.in('key'), gpg.exportKey(fingerprint))
  const trusted = await rkt(['trust', '--prefix=example.com', '--skip-fingerprint-review', place.in('key')], flags)
  t.is(trusted.code, 0, trusted.stderr)
  t.regex(trusted.stdout, /^gpg key fingerprint is: [0-9A-F ]+\n[^]*without fingerprint review\.\nAdded key for prefix "example\.com" at /)
  t.regex((await rkt(['trust', 'list'], flags)).stdout, /^PREFIX\t+FINGERPRINT\t+PATH\t+KIND\nexample\.com\t/)
  t.is((await rkt(['run', '--net=none', image], flags)).stdout, 'signed\n')
  const [uuid = ''] = readdirSync(join(flags.dir, 'pods', 'run'))
  t.regex((await rkt(['status', uuid], flags)).stdout, new RegExp(`^image-busybox=example.com/busybox .*signed by ${fingerprint} "Signer <signer@example.com>"$`, 'm'))
})

test('run-prepared asks again whether the signer is trusted', async (t) => {
  using place = temporaryDirectory()
  using gpg = openGpg()
  const fingerprint = gpg.generateKey({ userID: 'Signer <signer@example.com>' })
  const image = place.in('image.aci')
  execFileSync('cp', [makeAci(), image])
  writeFileSync(`${image}.asc`, gpg.sign(readFileSync(image), { key: fingerprint }))
  writeFileSync(place.in('key'), gpg.exportKey(fingerprint))
  const flags = { dir: place.in('data') }
  const added = await rkt(['trust', '--prefix=example.com', '--skip-fingerprint-review', place.in('key')], flags)
  const keyPath = / at "(.+)"$/m.exec(added.stdout)?.[1] ?? ''
  t.true(statSync(keyPath).isFile())
  const first = (await rkt(['prepare', image], flags)).stdout.trim()
  const second = (await rkt(['prepare', image], flags)).stdout.trim()
  t.is((await rkt(['run-prepared', '--net=none', first], flags)).code, 0)
  execFileSync('rm', [keyPath])
  const refused = await rkt(['run-prepared', '--net=none', second], flags)
  t.is(refused.code, 254)
  t.regex(refused.stderr, /openpgp: signature made by unknown entity/)
})

test('trust needs a scope, one only, and a terminal to ask', async (t) => {
  using place = temporaryDirectory()
  using gpg = openGpg()
  const key = place.in('key')
  writeFileSync(key, gpg.exportKey(gpg.generateKey({ userID: 'Signer <signer@example.com>' })))
  const flags = { dir: place.in('data') }
  t.regex((await rkt(['trust', key], flags)).stderr, /aborting due to implicit unbounded trust \(root domain\)/)
  t.regex((await rkt(['trust', '--root', '--prefix=example.com', key], flags)).stderr, /--root and --prefix usage mutually exclusive/)
  t.regex((await rkt(['trust', '--prefix=https://example.com', key], flags)).stderr, /--prefix must not contain a URL scheme, omit https:\/\//)
  t.regex((await rkt(['trust', '--root', key], flags)).stderr, /unable to ask user to review fingerprint due to lack of tty/)
  t.is((await rkt(['trust', 'list'], flags)).stdout, 'PREFIX\tFINGERPRINT\tPATH\tKIND\n')
})

test('trust asks on the terminal until the answer is yes or no', async (t) => {
  using place = temporaryDirectory()
  using gpg = openGpg()
  writeFileSync(place.in('key'), gpg.exportKey(gpg.generateKey({ userID: 'Signer <signer@example.com>' })))
  const flags = { dir: place.in('data'), tty: true }
  const no = await rkt(['trust', '--root', place.in('key')], { ...flags, input: 'no\n' })
  t.regex(no.stdout, /Are you sure you want to trust this key \(yes\/no\)\?\r\n[^]*not trusting/)
  const yes = await rkt(['trust', '--root', place.in('key')], { ...flags, input: 'perhaps\nyes\n' })
  t.regex(yes.stdout, /Please enter 'yes' or 'no'\r\n[^]*after fingerprint review\.\r\nAdded root key at /)
})

test('trust takes a key from https; a certificate that nobody vouches for, and http, only where the user says so', async (t) => {
  using place = temporaryDirectory()
  using gpg = openGpg()
  using authority = makeAuthority()
  const key = gpg.exportKey(gpg.generateKey({ userID: 'Signer <signer@example.com>' }))
  await using secure = await serveHttps(authority, (_request, response) => response.end(key))
  await using plain = await serveHttp((_request, response) => response.end(key))
  const trust = (url: string, ...flags: string[]): ReturnType<typeof rkt> => rkt([...flags, 'trust', '--root', '--skip-fingerprint-review', url], { dir: place.in('data') })
  t.is((await trust(`${secure.origin}/key`)).code, 254)
  const refused = await trust(`${plain.origin}/key`)
  t.is(refused.code, 254)
  t.regex(refused.stderr, /plain http is not allowed/)
  t.is((await rkt(['trust', 'list'], { dir: place.in('data') })).stdout, 'PREFIX\tFINGERPRINT\tPATH\tKIND\n')
  t.regex((await trust(`${secure.origin}/key`, '--insecure-options=tls')).stdout, /Added root key at /)
  t.regex((await trust(`${plain.origin}/key`, '--insecure-options=pubkey')).stdout, /Added root key at /)
})
