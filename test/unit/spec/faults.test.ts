import test from 'ava'
import { isRktError, type RktError } from '../../../src/base/index.ts'
import { parseImageManifest, parsePodManifest, readImageManifest } from '../../../src/spec/index.ts'
import { image, imageWithApp, pod } from './corpus.ts'

/** The failure of a parser that must fail. */
function failure(run: () => unknown): RktError {
  try {
    run()
  } catch (error) {
    if (isRktError(error)) return error
    throw error
  }
  throw new Error('nothing was refused')
}

function faultLines(run: () => unknown): readonly string[] {
  const { cause } = failure(run)
  return cause instanceof Error ? cause.message.split('\n') : []
}

test('parseImageManifest() reports every fault with its path', (t) => {
  const manifest = image({ name: 'A', acVersion: 1, app: { exec: 'x', user: '', ports: [{ name: 'p', port: 80 }, { name: 'P', port: 0 }] } })
  const paths = faultLines(() => parseImageManifest(manifest)).map((line) => line.split(': ')[0])
  t.deepEqual(paths, ['$.acVersion', '$.name', '$.app.exec', '$.app.user', '$.app.group', '$.app.ports[1].name', '$.app.ports[1].port'])
})

test('parseImageManifest() shows the first three faults in its message and counts the rest', (t) => {
  const error = failure(() => parseImageManifest({}))
  t.is(error.code, 'invalid-manifest')
  t.is(error.message, 'cannot use image manifest: $.acKind: missing; $.acVersion: missing; $.name: missing')
  const more = failure(() => parseImageManifest({ acKind: 1, acVersion: 1, name: 1, labels: 1, app: 1 }))
  t.regex(more.message, /\(and 2 more\)$/)
})

test('parseImageManifest() writes a member with a strange name so that the line cannot be misread', (t) => {
  const [line] = faultLines(() => parseImageManifest(imageWithApp({ userLabels: { 'a\u001b[2J\n"b': 1 } })))
  t.is(line, '$.app.userLabels["a\\u{1b}[2J\\n\\"b"]: a number; expected a string')
})

test('parseImageManifest() never puts an endless value into its message', (t) => {
  const error = failure(() => parseImageManifest(image({ name: 'A'.repeat(1_000_000) })))
  t.true(error.message.length < 1000)
})

test('parsePodManifest() keeps a bounded number of faults of a hostile list', (t) => {
  const lines = faultLines(() => parsePodManifest(pod({ apps: Array.from({ length: 100_000 }, () => 1) })))
  t.is(lines.length, 101)
  t.is(lines.at(-1), 'and more')
})

test('readImageManifest() refuses JSON that two readers could read differently', (t) => {
  const read = (text: string): RktError => failure(() => readImageManifest(Buffer.from(text)))
  t.is(read('{"acKind":"ImageManifest","acKind":"ImageManifest"}').code, 'invalid-json')
  t.is(read('{"__proto__":{"acKind":"ImageManifest"}}').code, 'invalid-json')
  t.is(read('{"acKind":"ImageManifest"} {}').code, 'invalid-json')
  t.is(read('\ufeff{}').code, 'invalid-json')
})

test('readImageManifest() refuses JSON nested deeper than any manifest', (t) => {
  const deep = `{"app":${'['.repeat(100_000)}${']'.repeat(100_000)}}`
  t.is(failure(() => readImageManifest(Buffer.from(deep))).code, 'limit-exceeded')
})
