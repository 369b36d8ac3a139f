import test from 'ava'
import { isRktError, parseStrictJson, type ErrorCode } from '../../../src/base/index.ts'

function read(text: string, bounds: { readonly maxBytes?: number; readonly maxDepth?: number } = {}): unknown {
  return parseStrictJson(Buffer.from(text), { what: 'test', ...bounds })
}

function codeOf(run: () => unknown): ErrorCode | undefined {
  try {
    run()
    return undefined
  } catch (error) {
    return isRktError(error) ? error.code : undefined
  }
}

test('parseStrictJson() reads what JSON.parse reads', (t) => {
  for (const text of ['null', ' [1, 2.5e3, "a\\n\\u00e9", true] ', '{"a":{"b":[]},"c":"{\\"a\\":1,\\"a\\":2}"}', '"\\\\"', '[{"a":1},{"a":2}]', '{"":0}']) {
    t.deepEqual(read(text), JSON.parse(text), text)
  }
})

test('parseStrictJson() refuses duplicate keys, however they are written', (t) => {
  for (const text of ['{"a":1,"a":2}', '{"a":1,"\\u0061":2}', '{"x":{"a":1, "a":1}}', '[{"a":[],"b":"\\"","a":0}]']) t.is(codeOf(() => read(text)), 'invalid-json', text)
})

test('parseStrictJson() refuses __proto__, however it is written', (t) => {
  for (const text of ['{"__proto__":1}', '{"a":{"\\u005f_proto__":{}}}']) t.is(codeOf(() => read(text)), 'invalid-json', text)
  t.deepEqual(read('"__proto__"'), '__proto__')
  t.deepEqual(Object.keys(Object(read('{"constructor":1}'))), ['constructor'])
})

test('parseStrictJson() refuses what is no JSON', (t) => {
  const texts = ['', ' ', '{', '[1', '"a', '{"a"}', '{"a":1,}', '[1,]', '{} {}', '1 2', "{'a':1}", '{a:1}', 'NaN', 'Infinity', '01', '+1', '.5', '"\u0001"', '"\\x"', '/**/1', ']', '"\\']
  for (const text of texts) t.is(codeOf(() => read(text)), 'invalid-json', text)
})

test('parseStrictJson() refuses a byte order mark and bytes that are no UTF-8', (t) => {
  t.is(codeOf(() => read('\ufeff{}')), 'invalid-json')
  for (const bytes of [[0x22, 0xff, 0x22], [0x22, 0xc0, 0xaf, 0x22], [0x22, 0xed, 0xa0, 0x80, 0x22]]) {
    t.is(codeOf(() => parseStrictJson(Uint8Array.from(bytes), { what: 'test' })), 'invalid-json')
  }
})

test('parseStrictJson() bounds size and depth before it recurses', (t) => {
  t.is(codeOf(() => read('"abc"', { maxBytes: 4 })), 'limit-exceeded')
  t.is(codeOf(() => read('[[[]]]', { maxDepth: 2 })), 'limit-exceeded')
  t.notThrows(() => read('[[],[],[]]', { maxDepth: 2 }))
  t.is(codeOf(() => read('['.repeat(1_000_000))), 'limit-exceeded')
  t.is(codeOf(() => read('{"a":'.repeat(100_000))), 'limit-exceeded')
})

test('parseStrictJson() accepts and refuses as JSON.parse does, but for the keys, on damaged documents', (t) => {
  const document = '{"a":[1,{"b":"c\\"d"},null],"e":-1.5e+3,"f":"\\u12aB"}'
  for (let at = 0; at < document.length; at += 1) {
    for (const change of ['', '"', '{', ']', ',', ':', '\\', '0']) {
      const text = document.slice(0, at) + change + document.slice(at + 1)
      let expected: unknown
      try {
        expected = JSON.parse(text)
      } catch {
        t.is(codeOf(() => read(text)), 'invalid-json', text)
        continue
      }
      if (codeOf(() => read(text)) === undefined) t.deepEqual(read(text), expected, text)
    }
  }
})
