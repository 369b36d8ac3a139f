import test from 'ava'
import { writeFileSync } from 'node:fs'
import { isRktError } from '../../../src/base/index.ts'
import { formatName, parseReference } from '../../../src/fetch/index.ts'
import { temporaryDirectory } from '../../support/temp.ts'

const parse = (text: string): unknown => parseReference(text, { cwd: '/nonexistent/cwd' })

test('parseReference() tells hashes, paths, URLs and names apart', (t) => {
  t.deepEqual(parse('sha512-ab'), { kind: 'hash', text: 'sha512-ab' })
  t.deepEqual(parse('/a/b'), { kind: 'file', path: '/a/b' })
  t.deepEqual(parse('./b'), { kind: 'file', path: '/nonexistent/cwd/b' })
  t.deepEqual(parse('../b.aci'), { kind: 'file', path: '/nonexistent/b.aci' })
  t.deepEqual(parse('b.aci'), { kind: 'file', path: '/nonexistent/cwd/b.aci' })
  t.deepEqual(parse('file:///a/b%20c.aci'), { kind: 'file', path: '/a/b c.aci' })
  t.deepEqual(parse('https://example.com/x.aci#part'), { kind: 'url', url: 'https://example.com/x.aci' })
  t.deepEqual(parse('HTTP://example.com/x.aci'), { kind: 'url', url: 'http://example.com/x.aci' })
  t.deepEqual(parse('docker://busybox'), { kind: 'oci', source: { transport: 'docker', host: 'docker.io', repository: 'library/busybox' } })
  t.deepEqual(parse('oci:layout:v1'), { kind: 'oci', source: { transport: 'oci', path: '/nonexistent/cwd/layout', ref: 'v1' } })
  t.deepEqual(parse('example.com/app'), { kind: 'name', name: 'example.com/app', labels: [] })
  t.deepEqual(parse('example.com/app:1.2,os=linux,arch=amd64'), {
    kind: 'name',
    name: 'example.com/app',
    labels: [
      { name: 'version', value: '1.2' },
      { name: 'os', value: 'linux' },
      { name: 'arch', value: 'amd64' },
    ],
  })
})

test('parseReference() takes an existing file for a path, whatever it is called', (t) => {
  using place = temporaryDirectory()
  writeFileSync(place.in('example.com:1'), '')
  t.deepEqual(parseReference('example.com:1', { cwd: place.path }), { kind: 'file', path: place.in('example.com:1') })
})

test('parseReference() does not ask the file system for what no file can be called', (t) => {
  for (const text of [`${'a'.repeat(5000)}:1`, 'a/'.repeat(5000)]) t.throws(() => parse(text), { code: 'invalid-reference' })
})

for (const [text, code] of [
  ['', 'invalid-reference'],
  ['a\0b', 'invalid-reference'],
  ['Example.com/App', 'invalid-reference'],
  ['example.com//app', 'invalid-reference'],
  ['example.com/app:', 'invalid-reference'],
  ['example.com/app,os', 'invalid-reference'],
  ['example.com/app,=linux', 'invalid-reference'],
  ['example.com/app:1,version=2', 'invalid-reference'],
  ['example.com/app,name=x', 'invalid-reference'],
  ['https://example.com/x.tar', 'invalid-reference'],
  ['https://user:secret@example.com/x.aci', 'invalid-reference'],
  ['https:///x.tar', 'invalid-reference'],
  ['ftp://example.com/x.aci', 'invalid-reference'],
  ['file://host/x.aci', 'invalid-reference'],
  ['docker://Busybox', 'invalid-reference'],
  ['docker://', 'invalid-reference'],
  ['oci:', 'invalid-reference'],
  ['oci-archive:/a.tar:', 'invalid-reference'],
  ['oci:/a\0b', 'invalid-reference'],
] as const) {
  test(`parseReference() refuses ${JSON.stringify(text)} as ${code}`, (t) => {
    const error = t.throws(() => parse(text))
    t.true(isRktError(error, code), String(error))
    t.false(error.message.includes('secret'))
  })
}

test('formatName() writes what parseReference() reads', (t) => {
  for (const text of ['example.com/app', 'example.com/app:1.2', 'example.com/app:1.2,os=linux', 'example.com/app,arch=amd64']) {
    const reference = parseReference(text, { cwd: '/' })
    t.is(reference.kind === 'name' ? formatName(reference.name, reference.labels) : '', text)
  }
})

test('parseReference() refuses long texts of which patterns could make much work', (t) => {
  for (const text of [`${'1:'.repeat(4000)}/x`, `${'a'.repeat(4000)}:1/${'b'.repeat(4000)}`, '1'.repeat(200_000)]) {
    const error = t.throws(() => parse(text))
    t.true(isRktError(error, 'invalid-reference'), String(error))
  }
})
