import test from 'ava'
import { sourcesBelow } from '../support/sources.ts'

const maxLines = 300
const code = [...sourcesBelow('src', ['.ts', '.c', '.h']), ...sourcesBelow('stage1', ['.c', '.h'])]

test(`no file of the program has more than ${maxLines} lines`, (t) => {
  const long = code.filter(({ text }) => text.trimEnd().split('\n').length > maxLines).map(({ path }) => path)
  t.deepEqual(long, [])
})

test('Verified, Signed and Waived are made in trust alone', (t) => {
  const makers = code.filter(({ text }) => /\bnew (Verified|Signed|Waived)\b/.test(text)).map(({ path }) => path)
  t.deepEqual(makers, ['src/trust/verified.ts'])
  const users = code.filter(({ imports }) => imports.some(({ target, kind }) => target === 'src/trust/verified.ts' && kind !== 'type'))
  for (const { path } of users) t.true(path.startsWith('src/trust/'), path)
  const door = code.find(({ path }) => path === 'src/trust/index.ts')
  t.notRegex(door?.text ?? '', /\b(verified|signed|waived)\b(?=[^'\n]*from)/, 'no maker leaves by the door')
})

test('no assertion of presence, no any, no enum, no suppressed check', (t) => {
  const faults = code
    .filter(({ path }) => path.endsWith('.ts'))
    .filter(({ text }) => /@ts-(ignore|nocheck|expect-error)|\bas any\b|: any\b|<any>|^\s*(export )?(const )?enum /m.test(text))
  t.deepEqual(faults.map(({ path }) => path), [])
})

test('nothing is left to be done', (t) => {
  const words = new RegExp(['TO', 'DO|FIX', 'ME|XX', 'X'].join(''))
  t.deepEqual(code.filter(({ text }) => words.test(text)).map(({ path }) => path), [])
})
