import test from 'ava'
import { isRktError } from '../../../src/base/index.ts'
import { asACIdentifier, companionTag, formatDockerReference, hubIdentifier, identifierOf, isTag, parseACIdentifier, parseDockerReference } from '../../../src/spec/index.ts'
import { sha256 } from '../../support/oci-image.ts'

const digest = sha256('x')

for (const [text, whole, name] of [
  ['alpine', 'docker.io/library/alpine', 'docker.io/library/alpine'],
  ['alpine:3.20', 'docker.io/library/alpine:3.20', 'docker.io/library/alpine'],
  ['me/app', 'docker.io/me/app', 'docker.io/me/app'],
  ['index.docker.io/me/app', 'docker.io/me/app', 'docker.io/me/app'],
  ['docker.io/alpine', 'docker.io/library/alpine', 'docker.io/library/alpine'],
  ['quay.io/a/b/c:V1_x.y-z', 'quay.io/a/b/c:V1_x.y-z', 'quay.io/a/b/c'],
  ['localhost/app', 'localhost/app', 'localhost/app'],
  ['localhost:5000/app:1', 'localhost:5000/app:1', 'localhost~5000/app'],
  ['QUAY.IO/app', 'quay.io/app', 'quay.io/app'],
  [`alpine@${digest}`, `docker.io/library/alpine@${digest}`, 'docker.io/library/alpine'],
  [`127.0.0.1:80/app:1@${digest}`, `127.0.0.1:80/app:1@${digest}`, '127.0.0.1~80/app'],
  ['[::1]:5000/app', '[::1]:5000/app', 'ipv6~0-0-0-0-0-0-0-1~5000/app'],
  ['quay.io/a__b', 'quay.io/a__b', 'quay.io/a~u~b'],
  ['quay.io/a--b', 'quay.io/a--b', 'quay.io/a~d2~b'],
  ['quay.io/a---b', 'quay.io/a---b', 'quay.io/a~d3~b'],
] as const) {
  test(`parseDockerReference() reads ${JSON.stringify(text)}`, (t) => {
    const reference = parseDockerReference(text)
    t.is(formatDockerReference(reference), whole)
    t.is(String(identifierOf(reference)), name)
    t.not(asACIdentifier(name), undefined)
    t.deepEqual(parseDockerReference(whole), reference)
  })
}

for (const text of ['', ':1', 'a:', 'a b', 'Alpine', 'a/../b', '/a', 'a/', 'a//b', 'a:1:2', 'a@sha256:00', `a@${digest.toUpperCase()}`, `a@${digest}@${digest}`, 'a:-1', `a:${'1'.repeat(129)}`, 'host:99999999/a', 'quay.io/-a', 'quay.io/a-', 'quay.io/a___b', 'quay.io/a..b', 'quay.io/', 'user@quay.io/a', 'quay.io:/a', `${'a/'.repeat(128)}a`, 'a'.repeat(256), 'f'.repeat(64), 'host:1/ä', 'a\0', 'a\n', '-quay.io/a', 'quay.io-/a', '[::g]/a']) {
  test(`parseDockerReference() refuses ${JSON.stringify(text.slice(0, 40))}`, (t) => {
    t.true(isRktError(t.throws(() => parseDockerReference(text)), 'invalid-reference'))
  })
}

test('parseDockerReference() refuses a host that only capitals tell from a repository: written down, it would be another image', (t) => {
  for (const text of ['Library/busybox', 'lIbrary/busybox', 'HOST/a']) t.true(isRktError(t.throws(() => parseDockerReference(text)), 'invalid-reference'), text)
  t.is(formatDockerReference(parseDockerReference('LOCALHOST/app')), 'localhost/app')
})

test('no two repositories share a name', (t) => {
  const texts = ['h:1/a', 'h/1/a', 'a-b/c', 'q.io/a-b', 'q.io/a--b', 'q.io/a_b', 'q.io/a__b', 'q.io/a.b', 'q.io/a/b', '[::1]/a', '[::1:0]/a', '[::1]:1/a']
  t.is(new Set(texts.map((text) => identifierOf(parseDockerReference(text)))).size, texts.length)
})

test('hubIdentifier() completes names without a host, and no others', (t) => {
  for (const [name, full] of [['alpine', 'docker.io/library/alpine'], ['me/app', 'docker.io/me/app'], ['library/alpine', 'docker.io/library/alpine'], ['example.com/app', undefined], ['localhost/app', undefined], ['a~b', undefined]] as const) {
    t.is(hubIdentifier(parseACIdentifier(name)), full === undefined ? undefined : parseACIdentifier(full))
  }
})

test('companionTag() is a tag for digests of both algorithms', (t) => {
  const parsed = parseDockerReference(`a@sha512:${'b'.repeat(128)}`)
  if (parsed.digest !== undefined) t.is(companionTag(parsed.digest), `sha512-${'b'.repeat(64)}`)
  t.true(isTag(`sha512-${'b'.repeat(64)}.sig`))
})
