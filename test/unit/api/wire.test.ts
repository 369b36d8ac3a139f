import test from 'ava'
import { parseListenAddress } from '../../../src/api/index.ts'
import { readGetLogs, readListPods } from '../../../src/api/messages/index.ts'
import { MessageWriter, readMessage } from '../../../src/api/wire/index.ts'
import { encodeMessage } from '../../../src/api/grpc/status.ts'

const bytes = (...values: readonly number[]): Uint8Array => Uint8Array.from(values)

const malformed: Readonly<Record<string, Uint8Array>> = {
  'a length beyond the end': bytes(0x0a, 0x05, 0x61),
  'a length of 2^63': bytes(0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f),
  'a number without end': bytes(0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01),
  'an end within a number': bytes(0x08, 0x80),
  'the field number 0': bytes(0x00, 0x01),
  'a group': bytes(0x0b, 0x0c),
  'the unknown type 6': bytes(0x0e),
  'half a fixed number': bytes(0x0d, 0x01),
}

for (const [name, message] of Object.entries(malformed)) {
  test(`readMessage() refuses ${name}`, (t) => {
    t.throws(() => readMessage(message, () => undefined), { code: 'usage' })
  })
}

test('a message is read that is written, and unknown fields are passed over', (t) => {
  const request = new MessageWriter().text(1, 'u').text(2, 'app ü').integer(3, -5).integer(4, true).integer(5, 1n << 40n).text(99, 'new').integer(98, 7).finish()
  t.deepEqual(readGetLogs(request), { podID: 'u', appName: 'app ü', lines: -5, follow: true, sinceTime: 2 ** 40, untilTime: 0 })
})

test('a list of enumeration values is read packed or not', (t) => {
  const packed = new MessageWriter().bytes(2, bytes(4, 6)).finish()
  const single = new MessageWriter().integer(2, 4).integer(2, 6).finish()
  for (const filter of [packed, single]) t.deepEqual(readListPods(new MessageWriter().bytes(1, filter).finish()).filters[0]?.states, [4, 6])
})

test('a text that is not UTF-8, and a field of another type, are refused; so are too many filters', (t) => {
  t.throws(() => readGetLogs(new MessageWriter().bytes(1, bytes(0xff)).finish()), { code: 'usage' })
  t.throws(() => readGetLogs(new MessageWriter().text(3, '5').finish()), { code: 'usage' })
  t.throws(() => readListPods(new MessageWriter().messages(1, Array.from({ length: 257 }, () => new MessageWriter())).finish()), { code: 'limit-exceeded' })
})

test('a message of a status is percent-encoded', (t) => t.is(encodeMessage('50% ü\n'), '50%25 %C3%BC%0A'))

test('parseListenAddress() reads hosts, IPv6 and paths; localhost is both loopback addresses', (t) => {
  t.deepEqual(parseListenAddress('localhost:15441'), [{ kind: 'tcp', host: '127.0.0.1', port: 15441 }, { kind: 'tcp', host: '::1', port: 15441 }])
  t.deepEqual(parseListenAddress('[fd00::1]:1'), [{ kind: 'tcp', host: 'fd00::1', port: 1 }])
  t.deepEqual(parseListenAddress(':80'), [{ kind: 'tcp', host: '::', port: 80 }])
  t.deepEqual(parseListenAddress('unix:/run/x'), [{ kind: 'path', path: '/run/x' }])
  t.deepEqual(parseListenAddress('/run/x'), [{ kind: 'path', path: '/run/x' }])
  for (const text of ['', 'localhost', 'localhost:', 'h:70000', '::1:80', '[x]:80', 'unix:x', 'a:b:1']) t.throws(() => parseListenAddress(text), { code: 'usage' }, text)
})
