import test from 'ava'
import { errorText, escapeText, isErrno, quote } from '../../../src/base/index.ts'

test('quote() leaves ordinary text alone', (t) => {
  t.is(quote('example.com/app:1.0 é 日本'), '"example.com/app:1.0 é 日本"')
})

test('quote() escapes quotes and backslashes so that the text can be read back', (t) => {
  t.is(quote('a"b\\c'), '"a\\"b\\\\c"')
})

test('quote() escapes what moves the cursor or reorders text', (t) => {
  t.is(quote('\u001b[2J\r\n\t\0'), '"\\u{1b}[2J\\r\\n\\t\\u{0}"')
  for (const char of ['\u009b', '\u202e', '\u2066', '\u200b', '\u2028', '\u2029', '\ufeff', '\ud800', '\ue000', '\u{e0001}', '\u007f']) {
    t.regex(quote(`a${char}b`), /^"a\\u\{[0-9a-f]+\}b"$/)
  }
})

test('escapeText() gives different cells for different values', (t) => {
  t.not(escapeText('\n'), escapeText('\\n'))
  t.is(escapeText('"'), '"')
})

test('errorText() keeps what a person can search for', (t) => {
  t.is(errorText(Object.assign(new Error("ENOENT: no such file or directory, open '/x\u001b'"), { code: 'ENOENT' })), 'ENOENT: no such file or directory')
  t.is(errorText(new Error('plain')), 'plain')
  t.is(errorText('text'), 'text')
})

test('isErrno() matches system errors by name', (t) => {
  const error = Object.assign(new Error('x'), { code: 'EEXIST' })
  t.true(isErrno(error, 'ENOENT', 'EEXIST'))
  t.false(isErrno(error, 'ENOENT'))
  t.false(isErrno({ code: 'EEXIST' }, 'EEXIST'))
  t.false(isErrno(undefined, 'EEXIST'))
})
