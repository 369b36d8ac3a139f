import { mkdirSync, writeFileSync } from 'node:fs'
import test from 'ava'
import { parseDockerReference } from '../../../src/spec/index.ts'
import { configuredLookaside } from '../../../src/cli/config/lookaside.ts'
import { readNestedTexts } from '../../../src/cli/config/nested-texts.ts'
import { temporaryDirectory } from '../../support/temp.ts'

test('readNestedTexts() reads what files of registries.d are made of', (t) => {
  const text = `---
# comment
docker:
    registry.example.com:5000/team:   # another
        lookaside: "https://example.com/sigs"
        use-sigstore-attachments: true

    '*.example.org':
        sigstore: file:///var/lib/sigs
default-docker:
  lookaside-staging: file:///tmp/a b
empty: {}
`
  t.deepEqual(JSON.parse(JSON.stringify(readNestedTexts(text, 'x'))), {
    docker: { 'registry.example.com:5000/team': { lookaside: 'https://example.com/sigs', 'use-sigstore-attachments': true }, '*.example.org': { sigstore: 'file:///var/lib/sigs' } },
    'default-docker': { 'lookaside-staging': 'file:///tmp/a b' },
    empty: {},
  })
})

test('readNestedTexts() refuses everything about which readers of YAML could disagree', (t) => {
  for (const text of ['a: b\na: c', 'a: &x b', 'a: *x', 'a: |\n  text', 'a: [b]', 'a: {b: c}', '- a', '\ta: b', 'a:\n  b: c\n d: e', 'a: b\n  c: d', 'a: "b', "a: 'b'c", 'a: !tag b', 'a', ': b', 'a: b: c\n%', '? a', 'a: @b', 'a: "\\x41"', 'a:\n  b: 1\n   c: 2']) {
    t.throws(() => readNestedTexts(text, 'x'), { code: 'invalid-config' }, JSON.stringify(text))
  }
})

test('the most specific scope counts, and the form of rkt before that of podman', (t) => {
  using place = temporaryDirectory()
  mkdirSync(place.in('local', 'registries.d'), { recursive: true })
  const file = place.in('local', 'registries.d', 'a.yaml')
  writeFileSync(
    file,
    [
      ...['default-docker:', '  lookaside: https://default.example/s/'],
      ...['docker:', '  "*.example.com":', '    lookaside: file:///domain', '  a.example.com:', '    lookaside: https://host.example', '    lookaside-staging: file:///staging'],
      ...['  a.example.com/team:', '    sigstore: file:///team', '  a.example.com/team/app:v1:', '    lookaside: file:///exact'],
    ].join('\n'),
  )
  const find = (text: string): readonly (string | undefined)[] => {
    const map = configuredLookaside({ system: place.in('system'), local: place.in('local') })
    return [map.find(parseDockerReference(text)), map.findWrite(parseDockerReference(text))]
  }
  t.deepEqual(find('alpine'), ['https://default.example/s', undefined])
  t.deepEqual(find('b.example.com/x'), ['file:///domain', 'file:///domain'])
  t.deepEqual(find('a.example.com/x'), ['https://host.example', 'file:///staging'])
  t.deepEqual(find('a.example.com/team/app:v2'), ['file:///team', 'file:///team'])
  t.deepEqual(find('a.example.com/team/app:v1'), ['file:///exact', 'file:///exact'])
  t.deepEqual(find('a.example.com/teams/app'), ['https://host.example', 'file:///staging'])
  writeFileSync(place.in('local', 'registries.d', 'b.json'), JSON.stringify({ rktKind: 'lookaside', rktVersion: 'v1', prefixes: ['a.example.com'], read: 'https://own.example' }))
  t.is(find('a.example.com/team/app:v1')[0], 'https://own.example')
  for (const bad of ['docker:\n  a:\n    lookaside: ftp://x', 'docker:\n  a:\n    lookaside: https://u:p@x', 'docker:\n  a:\n    lookasides: https://x', 'dockers:\n  a:\n    lookaside: https://x', 'docker:\n  a: https://x']) {
    writeFileSync(file, bad)
    t.throws(() => find('other.example/x'), { code: 'invalid-config' }, bad)
  }
})
