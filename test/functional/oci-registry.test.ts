import { execFileSync } from 'node:child_process'
import { gunzipSync } from 'node:zlib'
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import test from 'ava'
import { silentLog } from '../../src/base/index.ts'
import { openOciTarget, parseOciReference } from '../../src/fetch/index.ts'
import { ociMediaTypes } from '../../src/spec/index.ts'
import { makeUmociLayout, skopeo, startRegistry } from '../support/docker-registry.ts'
import { makeAuthority } from '../support/https.ts'
import { blob, craftImage, craftIndex, json, named, writeLayout } from '../support/oci-image.ts'
import { linuxAmd64, openSource, sourceOptions } from '../support/oci-source.ts'
import { rkt, type RunOptions, type RunResult } from '../support/run.ts'
import { temporaryDirectory } from '../support/temp.ts'

const place = temporaryDirectory()
const authority = makeAuthority()
const registry = await startRegistry(place)
const locked = await startRegistry(place, { authority, login: 'ann:secret' })
const layout = makeUmociLayout(place)
test.after.always(async () => {
  await registry[Symbol.asyncDispose]()
  await locked[Symbol.asyncDispose]()
  authority[Symbol.dispose]()
  place[Symbol.dispose]()
})

let stores = 0

/** The command on a store of its own, with these options given up. */
function freshStore(insecure: string): { readonly dir: string; readonly call: (args: readonly string[], options?: RunOptions) => Promise<RunResult> } {
  const dir = place.in(`data-${(stores += 1)}`)
  return { dir, call: (args, options = {}) => rkt([`--insecure-options=${insecure}`, ...args], { dir, ...options }) }
}

const push = (reference: string, ...flags: readonly string[]): unknown => skopeo(place, 'copy', '-q', '--dest-tls-verify=false', ...flags, `oci:${layout}:v1`, reference)

test('an image by umoci is run from a registry, and later by its name, without the scheme and without the registry', async (t) => {
  push(`docker://${registry.host}/app/one:v1`)
  const { call } = freshStore('image,http')
  const run = await call(['run', '--net=none', `docker://${registry.host}/app/one:v1`])
  t.is(run.stdout, 'from the second layer\n', run.stderr)
  const later = await call(['run', '--net=none', '--pull-policy=never', `${registry.host}/app/one:v1`])
  t.is(later.stdout, 'from the second layer\n', later.stderr)
  const listed = await call(['image', 'list', '--fields=name', '--no-legend'])
  t.is(listed.stdout.trim(), `${registry.host.replace(':', '~')}/app/one:v1`)
})

test('the same image has one ID, wherever it comes from', async (t) => {
  push(`docker://${registry.host}/app/same:v1`)
  skopeo(place, 'copy', '-q', `oci:${layout}:v1`, `oci-archive:${place.in('same.tar')}:v1`)
  const { call } = freshStore('image,http')
  const ids = []
  for (const reference of [`oci:${layout}:v1`, `oci-archive:${place.in('same.tar')}:v1`, `docker://${registry.host}/app/same:v1`]) {
    const fetched = await call(['fetch', '--full', reference])
    t.is(fetched.code, 0, fetched.stderr)
    ids.push(fetched.stdout)
  }
  t.is(new Set(ids).size, 1)
})

test('an image of Docker schema 2 is fetched and run', async (t) => {
  const reference = `docker://${registry.host}/app/schema2:v1`
  push(reference, '--format=v2s2')
  t.is(JSON.parse(skopeo(place, 'inspect', '--raw', '--tls-verify=false', reference)).mediaType, ociMediaTypes.dockerManifest)
  const run = await freshStore('image,http').call(['run', '--net=none', reference])
  t.is(run.stdout, 'from the second layer\n', run.stderr)
})

test('an image whose layers are compressed with zstd, or not at all, is fetched and run', async (t) => {
  const blobOf = (digest: string): Buffer => readFileSync(`${layout}/blobs/${digest.replace(':', '/')}`)
  const original = JSON.parse(blobOf(JSON.parse(readFileSync(`${layout}/index.json`, 'utf8')).manifests.at(-1).digest).toString())
  const [first, second] = original.layers.map(({ digest }: { readonly digest: string }) => gunzipSync(blobOf(digest)))
  const config = blob(blobOf(original.config.digest), ociMediaTypes.config)
  const layers = [blob(execFileSync('zstd', ['-c'], { input: first, maxBuffer: 1 << 26, stdio: ['pipe', 'pipe', 'pipe'] }), ociMediaTypes.layerZstd), blob(second, ociMediaTypes.layer)]
  const manifest = json({ schemaVersion: 2, mediaType: ociMediaTypes.manifest, config: named(config), layers: layers.map(named) }, ociMediaTypes.manifest)
  mkdirSync(place.in('mixed'))
  writeLayout(place.in('mixed'), { blobs: [config, ...layers, manifest], entries: [{ ...named(manifest), annotations: { 'org.opencontainers.image.ref.name': 'v1' } }] })
  const { call } = freshStore('image,http')
  t.is((await call(['fetch', `oci:${place.in('mixed')}`])).code, 0)
  t.is((await call(['image', 'push', 'localhost/mixed:v1', `docker://${registry.host}/app/mixed:v1`])).stdout.trim(), manifest.digest)
  const run = await freshStore('image,http').call(['run', '--net=none', `docker://${registry.host}/app/mixed:v1`])
  t.is(run.stdout, 'from the second layer\n', run.stderr)
})

test('an image of "docker save" is run', async (t) => {
  skopeo(place, 'copy', '-q', `oci:${layout}:v1`, `docker-archive:${place.in('saved.tar')}:example.com/saved:1`)
  const { call } = freshStore('image')
  const run = await call(['run', '--net=none', `docker-archive:${place.in('saved.tar')}`])
  t.is(run.stdout, 'from the second layer\n', run.stderr)
  const later = await call(['run', '--net=none', '--pull-policy=never', 'example.com/saved:1'])
  t.is(later.stdout, 'from the second layer\n', later.stderr)
})

test('an image of Docker Hub is named later as container tools name it', async (t) => {
  skopeo(place, 'copy', '-q', `oci:${layout}:v1`, `docker-archive:${place.in('hub.tar')}:short:v1`)
  const { call } = freshStore('image')
  t.is((await call(['fetch', `docker-archive:${place.in('hub.tar')}`])).code, 0)
  for (const name of ['short:v1', 'short', 'docker.io/library/short:v1', 'docker://short:v1', 'library/short']) {
    const found = await call(['run', '--net=none', '--pull-policy=never', name])
    t.is(found.stdout, 'from the second layer\n', `${name}: ${found.stderr}`)
  }
  t.is((await call(['image', 'cat-manifest', 'other/short'])).code, 254)
})

test('an image by "podman build" is pushed by podman and run', async (t) => {
  mkdirSync(place.in('build'))
  cpSync('/bin/busybox', place.in('build', 'busybox'))
  writeFileSync(place.in('build', 'file'), 'built\n')
  writeFileSync(place.in('build', 'Containerfile'), 'FROM scratch\nCOPY busybox /bin/busybox\nCOPY file /file\nENV WORD=said\nWORKDIR /bin\nENTRYPOINT ["/bin/busybox", "sh", "-c"]\nCMD ["busybox cat /file; echo $WORD; busybox pwd"]\n')
  const podman = (...words: readonly string[]): unknown =>
    execFileSync('podman', ['--root', place.in('podman'), '--runroot', place.in('podman-run'), '--storage-driver=vfs', '--events-backend=none', ...words], { stdio: 'pipe', env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', HOME: place.path, TMPDIR: place.path } })
  podman('build', '-q', '-t', 'built', place.in('build'))
  podman('push', '-q', '--tls-verify=false', 'built', `docker://${registry.host}/app/built:v1`)
  const { call } = freshStore('image,http')
  const run = await call(['run', '--net=none', `docker://${registry.host}/app/built:v1`])
  t.is(run.stdout, 'built\nsaid\n/bin\n', run.stderr)
})

test('a registry with a password over https: refused without, and with a wrong one, and used with the right one', async (t) => {
  push(`docker://${locked.host}/app/one:v1`, '--dest-creds=ann:secret')
  const { dir, call } = freshStore('image,tls')
  const reference = `docker://${locked.host}/app/one:v1`
  const without = await call(['fetch', reference])
  t.is(without.code, 254)
  t.regex(without.stderr, /bad HTTP status code: 401: the registry wants a user and a password/)
  t.regex(without.stderr, /hint: give a login for "localhost:[0-9]+" in a file auth\.d/)
  const login = (password: string): void => {
    mkdirSync(`${dir}.config/local/auth.d`, { recursive: true })
    const kind = { rktKind: 'dockerAuth', rktVersion: 'v1', registries: [locked.host], credentials: { user: 'ann', password } }
    writeFileSync(`${dir}.config/local/auth.d/registry.json`, JSON.stringify(kind))
  }
  login('wrong')
  t.is((await call(['fetch', reference])).code, 254)
  login('secret')
  const fetched = await call(['fetch', reference])
  t.is(fetched.code, 0, fetched.stderr)
  const pushed = await call(['image', 'push', `${locked.host}/app/one:v1`, `docker://${locked.host}/app/two:v2`])
  t.is(pushed.code, 0, pushed.stderr)
  t.is(pushed.stdout.trim(), skopeo(place, 'inspect', '--tls-verify=false', '--creds=ann:secret', '--format={{.Digest}}', `docker://${locked.host}/app/two:v2`).trim())
})

test('without --insecure-options neither plain http, nor a certificate that nobody vouches for, nor an unsigned image is used', async (t) => {
  push(`docker://${registry.host}/app/one:v1`)
  for (const [host, insecure, words] of [
    [registry.host, 'image', /cannot use registry "https:\/\/localhost:[0-9]+": it does not speak https\n.*hint: allow plain http once with --insecure-options=http/],
    [locked.host, 'image', /certificate or handshake is not accepted/],
    [registry.host, 'http', /signature/],
  ] as const) {
    const { call } = freshStore(insecure)
    const refused = await call(['fetch', `docker://${host}/app/one:v1`])
    t.is(refused.code, 254)
    t.regex(refused.stderr, words)
    t.is((await call(['image', 'list', '--no-legend'])).stdout.trim(), '')
  }
})

test('rkt image push writes to a registry and to a layout what skopeo reads, and sends nothing twice', async (t) => {
  const { call } = freshStore('image,http')
  t.is((await call(['fetch', `oci:${layout}:v1`])).code, 0)
  const name = 'localhost/umoci:v1'
  const target = `docker://${registry.host}/pushed/app:v3`
  const pushed = await call(['--debug', 'image', 'push', name, target])
  t.is(pushed.code, 0, pushed.stderr)
  t.regex(pushed.stderr, /image: sending blob sha256:/)
  const digest = pushed.stdout.trim()
  t.is(skopeo(place, 'inspect', '--tls-verify=false', '--format={{.Digest}}', target).trim(), digest)
  const again = await call(['--debug', 'image', 'push', name, target])
  t.notRegex(again.stderr, /sending blob/)
  t.is((await call(['fetch', target])).code, 0)
  const mounted = await call(['--debug', 'image', 'push', `${registry.host}/pushed/app:v3`, `docker://${registry.host}/pushed/other:v4`])
  t.regex(mounted.stderr, /is taken over from pushed\/app/)
  t.notRegex(mounted.stderr, /sending blob/)
  t.is((await call(['image', 'push', name, `oci:${place.in('written')}:v3`])).stdout.trim(), digest)
  skopeo(place, 'copy', '-q', `oci:${place.in('written')}:v3`, `oci:${place.in('copied')}:v3`)
  const missing = await call(['image', 'push', name, `docker://${registry.host}/pushed/app@${digest}`])
  t.regex(missing.stderr, /it names a digest; expected a tag/)
})

test('a signed layout that has only a tag is asked for by the name that its signature is for', async (t) => {
  const signed = place.in('signed')
  cpSync(layout, signed, { recursive: true })
  execFileSync('openssl', ['genpkey', '-algorithm', 'ed25519', '-out', place.in('key.pem')], { stdio: 'pipe' })
  execFileSync('openssl', ['pkey', '-in', place.in('key.pem'), '-pubout', '-out', place.in('key.pub')], { stdio: 'pipe' })
  const { call } = freshStore('none')
  const sign = await call(['image', 'sign', `--key=${place.in('key.pem')}`, '--identity=example.com/team/app:v1', `oci:${signed}:v1`])
  t.is(sign.code, 0, sign.stderr)
  t.is((await call(['trust', '--skip-fingerprint-review', '--prefix=example.com/team', place.in('key.pub')])).code, 0)
  const plain = await call(['fetch', `oci:${signed}:v1`])
  t.is(plain.code, 254)
  t.regex(plain.stderr, /cannot use image "localhost\/signed"/)
  t.is((await call(['fetch', `oci:${signed}:v1`, '--expect-name=example.com/other/app:v1'])).code, 254)
  const fetched = await call(['fetch', `oci:${signed}:v1`, '--expect-name=example.com/team/app:v1'])
  t.is(fetched.code, 0, fetched.stderr)
  const run = await call(['run', '--net=none', 'example.com/team/app:v1'])
  t.is(run.stdout, 'from the second layer\n', run.stderr)
})

test('a terminal shows how far a fetch is, a file shows nothing of it', async (t) => {
  push(`docker://${registry.host}/app/one:v1`)
  const tty = await freshStore('image,http').call(['fetch', `docker://${registry.host}/app/one:v1`], { tty: true })
  t.regex(tty.stdout, /(?:download|unpack) /)
  const file = await freshStore('image,http').call(['fetch', `docker://${registry.host}/app/one:v1`])
  t.is(file.stderr, 'image: warning: image signature verification has been disabled\n')
  const debug = await freshStore('image,http').call(['--debug', 'fetch', `docker://${registry.host}/app/one:v1`])
  t.regex(debug.stderr, /image: asking registry localhost:[0-9]+ for localhost:[0-9]+\/app\/one:v1/)
})

test('manifest lists, referrers and tags of a real registry', async (t) => {
  const insecure = { http: true, tls: false }
  const reference = parseOciReference(`docker://${registry.host}/app/list:v1`, { cwd: '/' })
  await using target = await openOciTarget(reference, sourceOptions({ insecure, log: silentLog }))
  const [amd, arm] = [craftImage(), craftImage({ architecture: 'arm64' })]
  for (const image of [amd, arm]) {
    for (const one of image.blobs) await target.putBytes(one.bytes, one.mediaType)
    await target.putManifest(image.manifest.bytes, { mediaType: image.manifest.mediaType })
  }
  const index = craftIndex([{ document: arm.manifest, platform: { os: 'linux', architecture: 'arm64' } }, { document: amd.manifest, platform: { os: 'linux', architecture: 'amd64' } }])
  await target.putManifest(index.bytes, { mediaType: index.mediaType, tag: 'v1' })
  const config = json({}, ociMediaTypes.empty)
  await target.putBytes(config.bytes, config.mediaType)
  const about = (artifactType: string): Uint8Array => Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: ociMediaTypes.manifest, artifactType, config: named(config), layers: [named(config)], subject: named(amd.manifest) }))
  for (const type of ['application/x.one', 'application/x.two']) await target.putManifest(about(type), { mediaType: ociMediaTypes.manifest })

  await using source = await openSource(`docker://${registry.host}/app/list:v1`, { insecure })
  const { digests } = await source.resolve(linuxAmd64)
  t.deepEqual(digests.map(String), [index.digest, amd.manifest.digest])
  const [, manifest] = digests
  if (manifest === undefined) throw new Error('an index leads to a manifest')
  t.deepEqual((await source.referrers(manifest)).map(({ artifactType }) => artifactType), ['application/x.one', 'application/x.two'])
  t.is((await source.referrers(manifest, 'application/x.two')).length, 1)
  t.deepEqual(await source.extensionSignatures(manifest), [])
  t.is(await source.manifest('missing'), undefined)
})

test('a certificate of the given authority is enough for a registry with https', async (t) => {
  push(`docker://${locked.host}/app/checked:v1`, '--dest-creds=ann:secret')
  const logins = { find: () => ({ user: 'ann', password: 'secret' }) }
  await using source = await openSource(`docker://${locked.host}/app/checked:v1`, { caFiles: [authority.caFile], logins })
  const [digest] = (await source.resolve(linuxAmd64)).digests
  const entry = JSON.parse(readFileSync(`${layout}/index.json`, 'utf8')).manifests.at(-1)
  t.is(String(digest), entry.digest)
})
