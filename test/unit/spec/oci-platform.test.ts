import test from 'ava'
import { isRktError } from '../../../src/base/index.ts'
import { appcArch, checkConfigOf, hostOciPlatform, readOciConfig, readOciDocument, selectPlatform, type OciImage, type OciIndex, type OciPlatform } from '../../../src/spec/index.ts'
import { craftImage, craftIndex } from '../../support/oci-image.ts'

const platform = (text: string): OciPlatform => {
  const [os = '', architecture = '', variant = ''] = text.split('/')
  return { os, architecture, variant }
}

function indexOf(...platforms: readonly string[]): OciIndex {
  const { manifest } = craftImage()
  const read = readOciDocument(craftIndex(platforms.map((text) => ({ document: manifest, platform: { ...platform(text) } }))).bytes, '')
  if (read.kind !== 'index') throw new Error('an index was crafted')
  return read
}

for (const [wanted, there, chosen] of [
  ['linux/amd64', ['linux/arm64', 'linux/amd64'], 'linux/amd64/'],
  ['linux/amd64', ['windows/amd64', 'linux/amd64'], 'linux/amd64/'],
  ['linux/arm64/v8', ['linux/arm64', 'linux/arm64/v8'], 'linux/arm64/v8'],
  ['linux/arm64/v8', ['linux/arm64'], 'linux/arm64/'],
  ['linux/arm/v7', ['linux/arm/v5', 'linux/arm/v6'], 'linux/arm/v6'],
  ['linux/arm/v6', ['linux/arm/v7', 'linux/arm/v5'], 'linux/arm/v5'],
] as const) {
  test(`selectPlatform() takes ${chosen} of ${there.join(' ')} for ${wanted}`, (t) => {
    const found = selectPlatform(indexOf(...there), platform(wanted)).platform
    t.is(`${found?.os}/${found?.architecture}/${found?.variant}`, chosen)
  })
}

test('selectPlatform() names what there is when nothing fits', (t) => {
  for (const [wanted, there] of [['linux/arm/v6', 'linux/arm/v7'], ['linux/amd64', 'linux/amd64/v3'], ['linux/s390x', 'windows/amd64']] as const) {
    t.true(isRktError(t.throws(() => selectPlatform(indexOf(there), platform(wanted)), { message: /there are "/ }), 'not-found'))
  }
})

test('selectPlatform() takes the only entry that names no platform', (t) => {
  const { manifest } = craftImage()
  const read = readOciDocument(craftIndex([{ document: manifest }]).bytes, '')
  if (read.kind === 'index') t.is(String(selectPlatform(read, platform('linux/amd64')).digest), manifest.digest)
})

test('checkConfigOf() refuses a config for another platform than the index says, and one with other layers', (t) => {
  const image = craftImage({ architecture: 'arm64' })
  const [configBlob] = image.blobs
  const manifest = readOciDocument(image.manifest.bytes, '')
  if (configBlob === undefined || manifest.kind !== 'manifest') throw new Error('an image was crafted')
  const config = readOciConfig(configBlob.bytes)
  const check = (said: OciPlatform | undefined, value: OciImage['manifest'] = manifest): void => checkConfigOf({ chain: [], manifest: value, platform: said }, config)
  t.notThrows(() => check(platform('linux/arm64')))
  t.notThrows(() => check(platform('linux/arm64/v8')))
  t.notThrows(() => check(undefined))
  for (const other of ['linux/amd64', 'windows/arm64']) t.true(isRktError(t.throws(() => check(platform(other))), 'invalid-manifest'))
  t.true(isRktError(t.throws(() => check(undefined, { ...manifest, layers: [] })), 'invalid-manifest'))
})

test('readOciConfig() reads what an app needs, and null as nothing', (t) => {
  const rootfs = { type: 'layers', diff_ids: [] }
  const read = (config: unknown): unknown => readOciConfig(Buffer.from(JSON.stringify({ os: 'linux', architecture: 'arm', variant: 'v7', config, rootfs }))).run
  const empty = { user: '', env: [], entrypoint: [], cmd: [], workingDir: '', volumes: [], exposedPorts: [], labels: {}, stopSignal: '' }
  for (const config of [undefined, null, {}, { Cmd: null, Env: null, Volumes: null, Labels: null }]) t.deepEqual(read(config), empty)
  t.deepEqual(
    read({ User: '1:2', Env: ['A=b', 'C='], Entrypoint: ['/e'], Cmd: ['c'], WorkingDir: '/w', Volumes: { '/v': {} }, ExposedPorts: { '80/tcp': {} }, Labels: { l: 'm' }, StopSignal: 'SIGINT', Healthcheck: {} }),
    { user: '1:2', env: ['A=b', 'C='], entrypoint: ['/e'], cmd: ['c'], workingDir: '/w', volumes: ['/v'], exposedPorts: ['80/tcp'], labels: { l: 'm' }, stopSignal: 'SIGINT' },
  )
  for (const config of [{ Env: ['A'] }, { Env: ['=b'] }, { Cmd: 'sh' }, { Cmd: ['a\0b'] }, { Volumes: [] }, { cmd: [] }]) t.true(isRktError(t.throws(() => read(config)), 'invalid-manifest'), JSON.stringify(config))
})

test('architectures have names in both worlds', (t) => {
  t.deepEqual(hostOciPlatform('arm64'), { os: 'linux', architecture: 'arm64', variant: 'v8' })
  t.true(isRktError(t.throws(() => hostOciPlatform('vax')), 'unsupported-host'))
  for (const [text, arch] of [['linux/amd64', 'amd64'], ['linux/amd64/v2', 'amd64'], ['linux/386', 'i386'], ['linux/arm64/v8', 'aarch64'], ['linux/arm/v6', 'armv6l'], ['linux/arm', 'armv7l'], ['linux/arm/v5', undefined], ['linux/riscv64', undefined]] as const) t.is(appcArch(platform(text)), arch)
})
