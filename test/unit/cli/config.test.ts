import test from 'ava'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { configurationJson } from '../../../src/cli/config/configuration.ts'
import { configuredCredentials } from '../../../src/cli/config/credentials.ts'
import { configuredDataDir } from '../../../src/cli/config/paths.ts'
import type { ConfigDirectories } from '../../../src/cli/context.ts'
import { refusalOf } from '../../support/store.ts'
import { temporaryDirectory } from '../../support/temp.ts'

interface Scene extends Disposable {
  readonly config: ConfigDirectories
  write(path: string, kind: string, fields: object): void
  in(path: string): string
}

function openScene(): Scene {
  const place = temporaryDirectory()
  return {
    config: { system: place.in('system'), local: place.in('local'), user: place.in('user') },
    write: (path, rktKind, fields) => {
      mkdirSync(dirname(place.in(path)), { recursive: true })
      writeFileSync(place.in(path), JSON.stringify({ rktKind, rktVersion: 'v1', ...fields }))
    },
    in: (path) => place.in(path),
    [Symbol.dispose]: () => place[Symbol.dispose](),
  }
}

const basic = { type: 'basic', credentials: { user: 'u', password: 'p' } }
const oauth = { type: 'oauth', credentials: { token: 'secret-token' } }
const v1 = { rktVersion: 'v1' }

test('configurationJson() is an empty list when nothing is configured', (t) => {
  using scene = openScene()
  t.deepEqual(configurationJson(scene.config), { stage0: [] })
})

test('configurationJson() prints one entry for each domain and registry, and a later directory overrides', (t) => {
  using scene = openScene()
  scene.write('system/auth.d/a.json', 'auth', { domains: ['one.example', 'two.example:8443'], ...basic })
  scene.write('user/auth.d/b.json', 'auth', { domains: ['one.example'], ...oauth })
  scene.write('system/auth.d/docker.json', 'dockerAuth', { registries: ['quay.io', 'gcr.io'], credentials: { user: 'd', password: 'e' } })
  scene.write('local/auth.d/docker.json', 'dockerAuth', { registries: ['gcr.io'], credentials: { user: 'over', password: 'written' } })
  t.deepEqual(configurationJson(scene.config), {
    stage0: [
      { ...v1, rktKind: 'auth', domains: ['one.example'], ...oauth },
      { ...v1, rktKind: 'auth', domains: ['two.example:8443'], ...basic },
      { ...v1, rktKind: 'dockerAuth', registries: ['quay.io'], credentials: { user: 'd', password: 'e' } },
      { ...v1, rktKind: 'dockerAuth', registries: ['gcr.io'], credentials: { user: 'over', password: 'written' } },
    ],
  })
})

test('configurationJson() merges paths and stage1 setting by setting', (t) => {
  using scene = openScene()
  scene.write('system/paths.d/p.json', 'paths', { data: '/system/data', 'stage1-images': '/system/images' })
  scene.write('user/paths.d/p.json', 'paths', { data: '/user/data' })
  scene.write('local/stage1.d/s.json', 'stage1', { name: 'example.com/stage1', version: '1.2.3', location: 'https://example.com/stage1.aci' })
  scene.write('user/stage1.d/s.json', 'stage1', { location: '/images/stage1.aci' })
  t.deepEqual(configurationJson(scene.config), {
    stage0: [
      { ...v1, rktKind: 'paths', data: '/user/data', 'stage1-images': '/system/images' },
      { ...v1, rktKind: 'stage1', name: 'example.com/stage1', version: '1.2.3', location: '/images/stage1.aci' },
    ],
  })
  t.is(configuredDataDir(scene.config), '/user/data')
})

test('only regular files *.json of the directory itself are read', (t) => {
  using scene = openScene()
  scene.write('local/paths.d/good.json', 'paths', { data: '/good' })
  scene.write('local/paths.d/other.conf', 'paths', { data: '/bad' })
  scene.write('local/paths.d/below/deep.json', 'paths', { data: '/bad' })
  scene.write('elsewhere.json', 'paths', { data: '/bad' })
  symlinkSync(scene.in('elsewhere.json'), scene.in('local/paths.d/link.json'))
  mkdirSync(scene.in('local/paths.d/directory.json'))
  t.is(configuredDataDir(scene.config), '/good')
})

const refusals: readonly (readonly [title: string, path: string, kind: string, fields: object, expected: RegExp])[] = [
  ['a kind of another directory', 'local/paths.d/x.json', 'auth', {}, /rktKind is "auth"; expected "paths"/],
  ['a version that is not known', 'local/paths.d/x.json', 'paths', { rktVersion: 'v2' }, /rktVersion is "v2"; expected "v1"/],
  ['a field that is not known', 'local/auth.d/x.json', 'auth', { domains: ['a'], ...basic, domain: 'b' }, /unknown field "domain"/],
  ['a field of another type of credentials', 'local/auth.d/x.json', 'auth', { domains: ['a'], type: 'basic', credentials: { user: 'u', token: 't' } }, /unknown field "credentials\.token"/],
  ['a type that is not known', 'local/auth.d/x.json', 'auth', { domains: ['a'], type: 'digest', credentials: {} }, /unknown "type"/],
  ['an empty token', 'local/auth.d/x.json', 'auth', { domains: ['a'], type: 'oauth', credentials: { token: '' } }, /"credentials\.token" is missing/],
  ['a token with a line end', 'local/auth.d/x.json', 'auth', { domains: ['a'], type: 'oauth', credentials: { token: 'a\r\nX: y' } }, /control character/],
  ['a URL as a domain', 'local/auth.d/x.json', 'auth', { domains: ['https://a/b'], ...oauth }, /expected HOST or HOST:PORT/],
  ['a wildcard as a domain', 'local/auth.d/x.json', 'auth', { domains: ['*.example.com'], ...oauth }, /expected HOST or HOST:PORT/],
  ['no domain', 'local/auth.d/x.json', 'auth', { domains: [], ...oauth }, /"domains" is not a list with something in it/],
  ['a relative path', 'local/paths.d/x.json', 'paths', { 'stage1-images': 'images' }, /"stage1-images" is "images"; expected an absolute path/],
  ['half a pair', 'local/stage1.d/x.json', 'stage1', { name: 'example.com/stage1' }, /expected both or none/],
  ['a location without scheme', 'local/stage1.d/x.json', 'stage1', { location: 'example.com/stage1.aci' }, /default stage1 image location is either a relative path or a URL without scheme/],
]
for (const [title, path, kind, fields, expected] of refusals) {
  test(`configurationJson() refuses ${title}, naming the file`, async (t) => {
    using scene = openScene()
    scene.write(path, kind, fields)
    const line = await refusalOf(() => configurationJson(scene.config))
    t.regex(line, /^invalid-config: cannot use /)
    t.true(line.includes(scene.in(path)))
    t.regex(line, expected)
    t.false(line.includes('secret-token'))
  })
}

test('the same setting twice is refused within one directory, whatever its spelling', async (t) => {
  using scene = openScene()
  scene.write('local/auth.d/a.json', 'auth', { domains: ['example.com'], ...basic })
  scene.write('local/auth.d/b.json', 'auth', { domains: ['EXAMPLE.com:443'], ...oauth })
  t.regex(await refusalOf(() => configurationJson(scene.config)), /b\.json": domain "example\.com" is already specified in the same directory$/)
})

test('credentials are found for their very host and port', (t) => {
  using scene = openScene()
  scene.write('local/auth.d/a.json', 'auth', { domains: ['example.com', 'example.com:8443'], ...oauth })
  const credentials = configuredCredentials(scene.config, Date.now)
  t.deepEqual(credentials.find('example.com'), { type: 'oauth', token: 'secret-token' })
  t.truthy(credentials.find('example.com:8443'))
  for (const host of ['www.example.com', 'example.com:9443', 'example.co', 'com']) t.is(credentials.find(host), undefined, host)
})
