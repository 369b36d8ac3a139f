import { mkdirSync, writeFileSync } from 'node:fs'
import test from 'ava'
import { limits, parseDigest } from '../../../../src/base/index.ts'
import { findSignatures, type LookasideMap } from '../../../../src/fetch/index.ts'
import { ociMediaTypes, parseDockerReference, type RawSignature } from '../../../../src/spec/index.ts'
import { serveRegistry, type FakeRegistry, type Misbehaviour } from '../../../support/fake-registry.ts'
import { serveHttps } from '../../../support/https.ts'
import { blob, craftImage, json, named, type CraftedBlob } from '../../../support/oci-image.ts'
import { keepingLog, openSource, sourceOptions } from '../../../support/oci-source.ts'
import { temporaryDirectory } from '../../../support/temp.ts'

const image = craftImage()
const digest = parseDigest(image.manifest.digest)
const payload = blob('{"a":1}', 'application/vnd.dev.cosign.simplesigning.v1+json')
const bundle = blob('{"b":1}', 'application/vnd.dev.sigstore.bundle.v0.3+json')
const detached = blob('-----BEGIN', 'application/pgp-signature')
const empty = json({}, ociMediaTypes.empty)
const annotations = { 'dev.cosignproject.cosign/signature': 'c2ln' }

function companion(layers: readonly object[], more: object = {}): CraftedBlob {
  return json({ schemaVersion: 2, mediaType: ociMediaTypes.manifest, config: named(empty), layers, ...more }, ociMediaTypes.manifest)
}

/** Everything that is found beside the image in a registry. */
async function find(registry: FakeRegistry, lookaside?: LookasideMap): Promise<{ readonly found: readonly RawSignature[]; readonly notices: readonly string[] }> {
  const notices: string[] = []
  const http = sourceOptions({ caFiles: [registry.authority.caFile], log: { ...keepingLog(), notice: (_, message) => void notices.push(message) }, idleMs: 1500 })
  await using source = await openSource(`docker://${registry.host}/app:v1`, http)
  const found = await findSignatures(source, { digests: [digest], fullName: parseDockerReference(`${registry.host}/app:v1`), http, ...(lookaside === undefined ? {} : { lookaside }) })
  return { found, notices }
}

async function withBlobs(misbehave?: Misbehaviour): Promise<FakeRegistry> {
  const registry = await serveRegistry(misbehave)
  for (const one of [payload, bundle, detached]) registry.blobs.set(one.digest, one)
  return registry
}

const tag = image.manifest.digest.replace(':', '-')

test('signatures are found under the tag of cosign and among referrers, of every kind', async (t) => {
  await using registry = await withBlobs()
  registry.manifests.set(`${tag}.sig`, companion([{ ...named(payload), annotations }]))
  const referrers = [
    { document: companion([{ ...named(payload), annotations }]), artifactType: 'application/vnd.dev.cosign.artifact.sig.v1+json' },
    { document: companion([named(bundle)]), artifactType: bundle.mediaType },
    { document: companion([named(detached)]), artifactType: detached.mediaType },
    { document: companion([named(payload)]), artifactType: 'application/vnd.example.list+json' },
  ]
  for (const { document } of referrers) registry.manifests.set(document.digest, document)
  registry.manifests.set(tag, json({ schemaVersion: 2, mediaType: ociMediaTypes.index, manifests: referrers.map(({ document, artifactType }) => ({ ...named(document), artifactType })) }, ociMediaTypes.index))
  const { found } = await find(registry)
  t.deepEqual(found.map(({ form }) => form), ['cosign', 'cosign', 'bundle', 'detached'])
  t.deepEqual(found[0]?.form === 'cosign' ? found[0].annotations : undefined, { signature: 'c2ln' })
})

test('a list of signatures without end is cut off at the limit', async (t) => {
  await using registry = await withBlobs()
  registry.manifests.set(`${tag}.sig`, companion(Array(900).fill({ ...named(payload), annotations })))
  const { found } = await find(registry)
  t.is(found.length, limits.imageSignatures)
  t.true(registry.asked.length < limits.imageSignatures + 20)
})

test('a companion that is damaged, too large or none at all hides nothing of the others', async (t) => {
  await using registry = await withBlobs()
  const large = blob(Buffer.alloc(limits.bundleBytes + 1, ' '), bundle.mediaType)
  registry.blobs.set(large.digest, large)
  registry.blobs.set(`sha256:${'0'.repeat(64)}`, payload)
  const wrong = { ...named(payload), digest: `sha256:${'0'.repeat(64)}`, annotations }
  const documents = [json({ broken: true }, ociMediaTypes.manifest), companion([wrong]), companion([named(large)]), companion([named(bundle)])]
  for (const document of documents) registry.manifests.set(document.digest, document)
  registry.manifests.set(tag, json({ schemaVersion: 2, mediaType: ociMediaTypes.index, manifests: documents.map((document) => ({ ...named(document), artifactType: bundle.mediaType })) }, ociMediaTypes.index))
  const { found } = await find(registry)
  t.deepEqual(found.map(({ form }) => form), ['bundle'])
})

test('the signatures extension is asked where the registry says that it has one, and only its own kind counts', async (t) => {
  const content = Buffer.from('signature').toString('base64')
  const signatures = [
    { schemaVersion: 2, name: `${digest}@one`, type: 'atomic', content },
    { schemaVersion: 2, name: `sha256:${'0'.repeat(64)}@other`, type: 'atomic', content },
    { schemaVersion: 1, name: `${digest}@old`, type: 'atomic', content },
    { schemaVersion: 2, name: `${digest}@kind`, type: 'other', content },
    { schemaVersion: 2, name: `${digest}@text`, type: 'atomic', content: '***' },
  ]
  let offered = true
  await using registry = await withBlobs((request, response) => {
    if (request.url === '/v2/') response.writeHead(200, offered ? { 'X-Registry-Supports-Signatures': '1' } : {}).end()
    else if (request.url === `/extensions/v2/app/signatures/${digest}`) response.writeHead(200).end(JSON.stringify({ signatures }))
    else return false
    return true
  })
  const { found } = await find(registry)
  t.deepEqual(found.map(({ form, place }) => [form, place]), [['simple-signing', `${digest}@one`]])
  offered = false
  t.deepEqual((await find(registry)).found, [])
})

test('lookaside places are read from files and servers, one number after the other', async (t) => {
  await using registry = await withBlobs()
  using place = temporaryDirectory()
  const directory = place.in(`app@${digest.replace(':', '=')}`)
  mkdirSync(directory)
  for (const number of [1, 2, 4]) writeFileSync(`${directory}/signature-${number}`, `signature ${number}`)
  const asked: string[] = []
  await using server = await serveHttps(registry.authority, (request, response) => {
    asked.push(request.url ?? '')
    if (request.url?.endsWith('/signature-1') === true) response.writeHead(200).end('from a server')
    else response.writeHead(404).end()
  })
  const at = (url: string): LookasideMap => ({ find: () => url, findWrite: () => undefined })
  t.deepEqual((await find(registry, at(`file://${place.path}/`))).found.map((one) => one.form === 'simple-signing' && Buffer.from(one.bytes).toString()), ['signature 1', 'signature 2'])
  t.is((await find(registry, at(`${server.origin}/base`))).found.length, 1)
  t.is(asked[0], `/base/app@${digest.replace(':', '=')}/signature-1`)
})

test('D25: a place of signatures that does not answer is told, within its time, and hides nothing of another place', async (t) => {
  await using registry = await withBlobs()
  registry.manifests.set(`${tag}.sig`, companion([{ ...named(payload), annotations }]))
  await using silent = await serveHttps(registry.authority, () => undefined)
  const start = performance.now()
  const { found, notices } = await find(registry, { find: () => silent.origin, findWrite: () => undefined })
  t.is(found.length, 1)
  t.regex(notices.join('\n'), /cannot look for signatures: cannot fetch "https:\/\/localhost:[0-9]+\/app@sha256=.*: no answer within/)
  t.true(performance.now() - start < 10_000)
})
