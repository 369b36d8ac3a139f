import test from 'ava'
import { checkPlatform, hostPlatform, parseImageManifest, type Label } from '../../../src/spec/index.ts'
import { image } from './corpus.ts'

function labels(values: Readonly<Record<string, string>>): readonly Label[] {
  return parseImageManifest(image({ labels: Object.entries(values).map(([name, value]) => ({ name, value })) })).labels
}

const host = hostPlatform('x64')

test('hostPlatform() names this machine as appc does', (t) => {
  t.deepEqual(host, { os: 'linux', arch: 'amd64' })
  t.is(hostPlatform('arm64').arch, 'aarch64')
  t.throws(() => hostPlatform('mips'), { message: /"mips"/ })
})

test('checkPlatform() accepts images of this machine', (t) => {
  t.notThrows(() => checkPlatform(labels({ os: 'linux', arch: 'amd64' }), host))
  t.notThrows(() => checkPlatform(labels({ os: 'linux', arch: 'i386', version: '1' }), host))
})

test('checkPlatform() refuses in the words of the original', (t) => {
  const refused = (values: Readonly<Record<string, string>>): string => t.throws(() => checkPlatform(labels(values), host), { instanceOf: Error }).message
  t.is(refused({ arch: 'amd64' }), 'missing os label in the image manifest')
  t.is(refused({ os: 'linux' }), 'missing arch label in the image manifest')
  t.is(refused({ os: 'freebsd', arch: 'amd64' }), 'bad os "freebsd" (must be one of: [linux])')
  t.is(refused({ os: 'linux', arch: 'aarch64' }), 'bad arch "aarch64" for linux (must be one of: [amd64 i386])')
})

test('parseImageManifest() refuses platforms that appc does not know, in the words of the original', (t) => {
  t.throws(() => labels({ os: 'aix', arch: 'amd64' }), { message: /bad os "aix" \(must be one of: \[darwin freebsd linux\]\)/ })
  t.throws(() => labels({ os: 'darwin', arch: 'amd64' }), { message: /bad arch "amd64" for darwin \(must be one of: \[x86_64 i386\]\)/ })
})
