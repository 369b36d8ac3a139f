import test from 'ava'
import { parseDigest, parseImageID } from '../../../src/base/index.ts'
import { parseACIdentifier, parseImageManifest, imageManifestToJson, readOciConfig, valueOf, type ImageManifest } from '../../../src/spec/index.ts'
import { convertConfig } from '../../../src/store/oci/convert-config.ts'
import type { OciRecord } from '../../../src/store/oci/record.ts'
import { stackID } from '../../../src/store/oci/stack-trees.ts'
import { refusalOf } from '../../support/store.ts'

const digest = parseDigest(`sha256:${'a'.repeat(64)}`)
const record: OciRecord = {
  version: 1,
  kind: 'oci',
  id: parseImageID(`sha512-${'b'.repeat(64)}`),
  name: parseACIdentifier('docker.io/library/app'),
  labels: [{ name: parseACIdentifier('version'), value: '1.2' }, { name: parseACIdentifier('os'), value: 'linux' }, { name: parseACIdentifier('arch'), value: 'amd64' }],
  importedAtMs: 0,
  unpackedBytes: 0,
  blobBytes: 0,
  source: { kind: 'oci', reference: 'docker://docker.io/library/app:1.2' },
  evidence: undefined,
  also: [],
  documents: [{ digest, bytes: 1, mediaType: 'x/y' }],
  config: { digest, bytes: 1 },
  layers: [],
  trees: [],
  treeID: stackID([digest]),
  verdict: { kind: 'waived', reason: '--insecure-options=image', at: '2026-01-01T00:00:00.000Z' },
}

function convert(config: object, document: object = {}): { readonly manifest: ImageManifest; readonly warnings: readonly string[] } {
  const text = JSON.stringify({ os: 'linux', architecture: 'amd64', config, rootfs: { type: 'layers', diff_ids: [digest] }, ...document })
  const converted = convertConfig(readOciConfig(Buffer.from(text)), record)
  // What is written for pods is read back as a manifest.
  parseImageManifest(imageManifestToJson(converted.manifest))
  return converted
}

test('entrypoint and command follow each other, and are kept one by one in annotations', (t) => {
  const { manifest } = convert({ Entrypoint: ['/bin/a', 'b'], Cmd: ['c d'] })
  t.deepEqual(manifest.app?.exec, ['/bin/a', 'b', 'c d'])
  t.is(valueOf(manifest.annotations, 'appc.io/docker/entrypoint'), '["/bin/a","b"]')
  t.is(valueOf(manifest.annotations, 'appc.io/docker/cmd'), '["c d"]')
  t.deepEqual(convert({}).manifest.app?.exec, [])
})

test('users are split at their colon, and what could be taken for a path is refused', async (t) => {
  const account = (User: string): unknown => {
    const { user, group } = convert({ User }).manifest.app ?? {}
    return [user, group]
  }
  t.deepEqual(account(''), ['0', '0'])
  t.deepEqual(account('app'), ['app', ':primary'])
  t.deepEqual(account('1000:app'), ['1000', 'app'])
  for (const User of ['/etc/shadow', 'a/b', 'a:', ':b', 'a:b:c']) t.regex(await refusalOf(() => convert({ User })), /^invalid-manifest: cannot use OCI config: user "/, User)
})

test('the last value of a variable counts, and names that appc does not know are told and left out', (t) => {
  const { manifest, warnings } = convert({ Env: ['A=1', 'B=', 'A=2=3', '2C=x', 'a b=c'] })
  t.deepEqual(manifest.app?.environment, [{ name: 'A', value: '2=3' }, { name: 'B', value: '' }])
  t.is(warnings.length, 2)
})

test('volumes become mount points with names of their own, places of the system none', (t) => {
  const { manifest, warnings } = convert({ Volumes: { '/var/lib/app': {}, '/var/lib_app/': {}, 'data/../rel': {}, '/proc/sys': {}, '/': {}, '/devices': {} } })
  t.deepEqual(manifest.app?.mountPoints.map(({ name, path }) => `${name} ${path}`), ['volume-var-lib-app /var/lib/app', 'volume-var-lib-app-2 /var/lib_app', 'volume-rel /rel', 'volume-devices /devices'])
  t.is(warnings.length, 2)
})

test('exposed ports are named after number and protocol', (t) => {
  const { manifest, warnings } = convert({ ExposedPorts: { '80': {}, '53/udp': {}, '8000-8010/tcp': {}, '0/tcp': {}, 'x/tcp': {}, '9-8': {}, '70000': {} } })
  t.deepEqual(manifest.app?.ports.map(({ name, protocol, port, count }) => [String(name), protocol, port, count]), [['80-tcp', 'tcp', 80, 1], ['53-udp', 'udp', 53, 1], ['8000-8010-tcp', 'tcp', 8000, 11]])
  t.is(warnings.length, 4)
})

test('C11: labels become annotations, but none that means something to rkt', (t) => {
  const { manifest, warnings } = convert({
    Labels: { 'org.opencontainers.image.title': 'App', 'a.b': 'c', 'Weird Label': 'x', 'appc.io/executor/stop-signal': 'SIGKILL', 'coreos.com/rkt/stage1/run': '/bin/evil', created: 'yesterday' },
  })
  t.is(valueOf(manifest.annotations, 'org.opencontainers.image.title'), 'App')
  t.is(valueOf(manifest.annotations, 'a.b'), 'c')
  for (const name of ['appc.io/executor/stop-signal', 'coreos.com/rkt/stage1/run', 'created']) t.is(valueOf(manifest.annotations, name), undefined)
  t.is(warnings.length, 4)
})

test('stop signals are names and numbers that Linux knows', (t) => {
  const signal = (StopSignal: string): string | undefined => valueOf(convert({ StopSignal }).manifest.annotations, 'appc.io/executor/stop-signal')
  const cases = { SIGINT: 'SIGINT', int: 'SIGINT', '2': 'SIGINT', 'SIGRTMIN+3': '37', 'RTMAX-1': '63', '40': '40', '': undefined, '0': undefined, '99': undefined, SIGFOO: undefined, 'RTMIN-1': undefined, '33': undefined }
  for (const [given, expected] of Object.entries(cases)) t.is(signal(given), expected, given)
})

test('an image says where it came from in the words of a conversion', (t) => {
  const { annotations } = convert({}, { created: '2026-01-02T03:04:05.678901234Z', author: 'Ann' }).manifest
  t.is(valueOf(annotations, 'created'), '2026-01-02T03:04:05.678901234Z')
  t.is(valueOf(annotations, 'authors'), 'Ann')
  t.is(valueOf(annotations, 'appc.io/docker/registryurl'), 'docker.io')
  t.is(valueOf(annotations, 'appc.io/docker/repository'), 'library/app')
  t.is(valueOf(annotations, 'appc.io/docker/tag'), '1.2')
  t.is(valueOf(annotations, 'appc.io/docker/manifesthash'), digest)
})
