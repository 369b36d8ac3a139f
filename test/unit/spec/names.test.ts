import test from 'ava'
import { asACIdentifier, asACName, isACVersion, isIPAddress, parseACIdentifier, parseACName, sanitizeACName } from '../../../src/spec/index.ts'

test('asACName() accepts lower-case words with single dashes', (t) => {
  for (const name of ['a', '0', 'db-1', 'a-b-c', 'constructor', 'a'.repeat(200)]) t.is(String(asACName(name)), name)
})

test('asACName() refuses everything that could be more than a file name', (t) => {
  for (const name of ['', '-', 'a-', '-a', 'a--b', 'A', 'a/b', '.', '..', 'a.b', 'a_b', 'a b', 'a\n', 'a\0', 'ä', 'a'.repeat(201)]) t.is(asACName(name), undefined, name)
})

test('asACIdentifier() accepts the names of images', (t) => {
  for (const name of ['example.com', 'example.com/reduce-worker', 'a_b', 'a~b', '0/1/2']) t.is(String(asACIdentifier(name)), name)
})

test('asACIdentifier() refuses empty path components, dots alone, and edges', (t) => {
  for (const name of ['', '/a', 'a/', 'a//b', 'a/../b', 'a/./b', '../a', 'a..b', 'Example.com', 'a:b', 'a,b', 'a\n']) t.is(asACIdentifier(name), undefined, name)
})

test('parseACName() and parseACIdentifier() name what they refuse', (t) => {
  t.throws(() => parseACName('A'), { message: /^cannot use name "A": not an AC name; expected / })
  t.throws(() => parseACIdentifier('\u001b[31m'), { message: /^cannot use name "\\u\{1b\}\[31m": not an AC identifier/ })
})

test('sanitizeACName() gives the nearest name', (t) => {
  for (const [text, name] of [['Foo', 'foo'], ['foo_bar', 'foo-bar'], ['--a--', 'a'], ['a..b', 'a-b'], ['busybox:1.35', 'busybox-1-35'], ['x'.repeat(300), 'x'.repeat(200)]] as const) {
    t.is(String(sanitizeACName(text)), name)
  }
})

test('sanitizeACName() gives a name for anything with a letter or digit in it, and refuses the rest', (t) => {
  for (let round = 0; round < 2000; round += 1) {
    const text = randomText(round)
    if (/[a-z0-9]/i.test(text)) t.is(asACName(sanitizeACName(text)), sanitizeACName(text))
    else t.throws(() => sanitizeACName(text))
  }
})

/** Text of letters that matter here, the same on every run. */
function randomText(seed: number): string {
  const letters = 'aZ0-._/ ~:\n'
  let state = seed + 1
  return Array.from({ length: seed % 7 }, () => {
    state = (state * 48271) % 2147483647
    return letters[state % letters.length]
  }).join('')
}

test('isACVersion() accepts semantic versions only', (t) => {
  for (const text of ['0.8.11', '0.1.0', '1.30.0', '1.30.0+git', '0.5.1-rc.1+b1']) t.true(isACVersion(text), text)
  for (const text of ['', '0.0.0', '1', '1.2', 'v1.2.3', '1.2.3.4', '01.2.3', '1.2.3 ', '1.2.3\n', `1.2.3-${'a'.repeat(300)}`]) t.false(isACVersion(text), text)
})

test('isIPAddress() accepts addresses and nothing around them', (t) => {
  for (const text of ['0.0.0.0', '255.255.255.255', '::', '::1', '1::', 'fe80::1:2', '1:2:3:4:5:6:7:8', '::ffff:1.2.3.4', '1:2:3:4:5:6:1.2.3.4']) t.true(isIPAddress(text), text)
  for (const text of ['', '1.2.3', '1.2.3.256', '01.2.3.4', '1.2.3.4/8', ':', ':::', '1:2:3:4:5:6:7', '1:2:3:4:5:6:7:8:9', '1::2::3', '12345::', 'fe80::1%eth0', '1.2.3.4::', '1:2:3:4:5:6:7::8']) {
    t.false(isIPAddress(text), text)
  }
})
