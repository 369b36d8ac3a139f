import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import test, { type ExecutionContext } from 'ava'
import { ociMediaTypes } from '../../src/spec/index.ts'
import { serveRegistry, sendBlob, type FakeRegistry, type Misbehaviour } from '../support/fake-registry.ts'
import { serveHttps } from '../support/https.ts'
import { blob, craftImage, craftIndex, json, named, writeLayout, type CraftedImage } from '../support/oci-image.ts'
import { rawMember } from '../support/raw-tar.ts'
import { rkt, type RunResult } from '../support/run.ts'
import { temporaryDirectory } from '../support/temp.ts'

const archive = (name: string): Uint8Array => Buffer.concat([rawMember({ name, content: name }), Buffer.alloc(1024)])
const good = (): CraftedImage => craftImage({ layers: [archive('hello')] })

interface Attack {
  /** What the registry does instead of what it should. */
  readonly misbehave?: Misbehaviour
  readonly prepare?: (registry: FakeRegistry) => void
}

/** Fetches from a registry of the attacker's, and looks at what else than the store was touched. */
async function fetchFrom(t: ExecutionContext, { misbehave, prepare }: Attack): Promise<RunResult & { readonly asked: FakeRegistry['asked'] }> {
  using place = temporaryDirectory()
  mkdirSync(place.in('victim', 'd'), { recursive: true })
  writeFileSync(place.in('victim', 'hello'), 'untouched')
  const before = statSync(place.in('victim', 'hello'))
  await using registry = await serveRegistry(misbehave)
  prepare?.(registry)
  const dir = place.in('data')
  const result = await rkt(['--insecure-options=image,tls', 'fetch', `docker://${registry.host}/app:v1`], { dir })
  t.is(readFileSync(place.in('victim', 'hello'), 'utf8'), 'untouched')
  t.is(statSync(place.in('victim', 'hello')).ctimeMs, before.ctimeMs)
  t.deepEqual(readdirSync(place.in('victim')).sort(), ['d', 'hello'])
  if (result.code !== 0) {
    t.is(result.stdout, '')
    t.is((await rkt(['image', 'list', '--no-legend'], { dir })).stdout.trim(), '')
    t.is(result.stderr.split('\n').filter((line) => line.startsWith('fetch: ') && !line.startsWith('fetch: hint: ')).length, 1, result.stderr)
  }
  return { ...result, asked: registry.asked }
}

const platform = (architecture: string): Readonly<Record<string, string>> => ({ os: 'linux', architecture })

test('twin: the innocent image of the same registry is fetched, below an index and without one', async (t) => {
  const plain = await fetchFrom(t, { prepare: (registry) => registry.add(good(), 'v1') })
  t.is(plain.code, 0, plain.stderr)
  const listed = await fetchFrom(t, {
    prepare: (registry) => {
      const image = good()
      registry.add(image, 'amd')
      registry.manifests.set('v1', craftIndex([{ document: image.manifest, platform: platform('amd64') }]))
    },
  })
  t.is(listed.code, 0, listed.stderr)
})

for (const digest of ['sha256:../../../../../../victim/hello', `sha256:${'a'.repeat(63)}`, `sha256:${'A'.repeat(64)}`, `sha1:${'a'.repeat(40)}`, `sha512:${'a'.repeat(64)}`]) {
  test(`A14: a layer with digest ${digest.slice(0, 40)} is refused before its content is asked for`, async (t) => {
    const image = good()
    const [config, first] = image.blobs
    if (config === undefined || first === undefined) throw new Error('a crafted image has a config and a layer')
    const manifest = json({ schemaVersion: 2, mediaType: ociMediaTypes.manifest, config: named(config), layers: [{ ...named(first), digest }] }, ociMediaTypes.manifest)
    const refused = await fetchFrom(t, { prepare: (registry) => void registry.manifests.set('v1', manifest) })
    t.is(refused.code, 254)
    t.regex(refused.stderr, /\$\.layers\[0\]\.digest: /)
    t.deepEqual(refused.asked.map(({ what }) => what), ['GET /v2/app/manifests/v1'])
  })
}

test('A14: a reference with such a digest is refused before any server is asked', async (t) => {
  await using registry = await serveRegistry()
  using place = temporaryDirectory()
  for (const digest of ['sha256:../../../victim', `sha256:${'A'.repeat(64)}`, `md5:${'a'.repeat(32)}`]) {
    const refused = await rkt(['--insecure-options=image,tls', 'fetch', `docker://${registry.host}/app@${digest}`], { dir: place.in('data') })
    t.is(refused.code, 254)
    t.regex(refused.stderr, /cannot use digest/)
  }
  t.deepEqual(registry.asked, [])
})

test('a document that is both manifest and index is refused', async (t) => {
  const image = good()
  const both = { ...JSON.parse(Buffer.from(image.manifest.bytes).toString()), manifests: [{ ...named(image.manifest), platform: platform('amd64') }] }
  for (const mediaType of [ociMediaTypes.manifest, ociMediaTypes.index]) {
    const refused = await fetchFrom(t, {
      prepare: (registry) => {
        registry.add(image, 'other')
        registry.manifests.set('v1', json({ ...both, mediaType }, mediaType))
      },
    })
    t.is(refused.code, 254)
    t.regex(refused.stderr, /members of both an index and a manifest/)
  }
})

test('a platform child that is the image of another platform is refused', async (t) => {
  const refused = await fetchFrom(t, {
    prepare: (registry) => {
      const image = craftImage({ architecture: 's390x', layers: [archive('hello')] })
      registry.add(image, 'swapped')
      registry.manifests.set('v1', craftIndex([{ document: image.manifest, platform: platform('amd64') }]))
    },
  })
  t.is(refused.code, 254)
  t.regex(refused.stderr, /it is for "linux\/s390x"; expected "linux\/amd64", as the index says/)
})

test('foreign layers are refused, and their URLs are not asked', async (t) => {
  const image = good()
  const [config, first] = image.blobs
  if (config === undefined || first === undefined) throw new Error('a crafted image has a config and a layer')
  const asked: string[] = []
  await using registry = await serveRegistry()
  await using elsewhere = await serveHttps(registry.authority, (request, response) => {
    asked.push(request.url ?? '')
    response.writeHead(200).end(first.bytes)
  })
  for (const changes of [{ urls: [`${elsewhere.origin}/layer`] }, { mediaType: 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip', urls: [`${elsewhere.origin}/layer`] }]) {
    const manifest = json({ schemaVersion: 2, mediaType: ociMediaTypes.manifest, config: named(config), layers: [{ ...named(first), ...changes }] }, ociMediaTypes.manifest)
    const refused = await fetchFrom(t, { prepare: (own) => void own.manifests.set('v1', manifest) })
    t.is(refused.code, 254)
    t.regex(refused.stderr, /it is foreign/)
  }
  t.deepEqual(asked, [])
})

test('D17: a registry that sends another manifest for the digest, or another layer than the manifest says, is refused', async (t) => {
  const image = good()
  const evil = craftImage({ layers: [archive('evil')] })
  const swap = (kind: string, other: CraftedImage['manifest']): Misbehaviour => (request, response) => {
    if (request.url?.includes(kind) !== true) return false
    sendBlob(response, { blob: other, range: undefined })
    return true
  }
  const [config, layer] = image.blobs
  const [, evilLayer] = evil.blobs
  if (config === undefined || layer === undefined || evilLayer === undefined) throw new Error('a crafted image has a config and a layer')
  const prepare = (registry: FakeRegistry): void => {
    registry.add(image, 'amd')
    registry.manifests.set('v1', craftIndex([{ document: image.manifest, platform: platform('amd64') }]))
  }
  for (const [kind, other] of [['/manifests/sha256:', evil.manifest], [`/blobs/${layer.digest}`, evilLayer], [`/blobs/${config.digest}`, blob('{}', config.mediaType)]] as const) {
    const refused = await fetchFrom(t, { misbehave: swap(kind, other), prepare })
    t.is(refused.code, 254)
    t.regex(refused.stderr, /(?:its digest is sha256:|bytes; expected|more than)/)
  }
})

test('a manifest and a layer without end are cut off, in bounded memory', async (t) => {
  let sentBytes = 0
  const flood = (kind: string): Misbehaviour => (request, response) => {
    if (request.url?.includes(kind) !== true) return false
    response.writeHead(200, { 'Content-Type': ociMediaTypes.manifest })
    const chunk = Buffer.alloc(65_536, ' ')
    const send = (): void => {
      while (!response.destroyed && sentBytes < 1_073_741_824) {
        sentBytes += chunk.byteLength
        if (!response.write(chunk)) return void response.once('drain', send)
      }
    }
    send()
    return true
  }
  for (const kind of ['/manifests/', '/blobs/']) {
    sentBytes = 0
    const refused = await fetchFrom(t, { misbehave: flood(kind), prepare: (registry) => registry.add(good(), 'v1') })
    t.is(refused.code, 254)
    t.regex(refused.stderr, /expected at most|more than/)
    t.true(sentBytes < 50_000_000, `${sentBytes} bytes were taken`)
  }
})

test('a layout with links that lead outside is refused, and nothing outside is read', async (t) => {
  using place = temporaryDirectory()
  const image = good()
  mkdirSync(place.in('layout'))
  writeLayout(place.in('layout'), { blobs: [image.manifest, ...image.blobs], entries: [named(image.manifest)] })
  const fetched = await rkt(['--insecure-options=image', 'fetch', `oci:${place.in('layout')}`], { dir: place.in('data') })
  t.is(fetched.code, 0, fetched.stderr)
  writeFileSync(place.in('secret'), '{"secret":"do not show"}')
  rmSync(place.in('layout', 'index.json'))
  symlinkSync(place.in('secret'), place.in('layout', 'index.json'))
  const refused = await rkt(['--insecure-options=image', 'fetch', `oci:${place.in('layout')}`], { dir: place.in('data') })
  t.is(refused.code, 254)
  t.notRegex(refused.stderr, /do not show/)
})
