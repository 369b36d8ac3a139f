import test from 'ava'
import { isRktError } from '../../../src/base/index.ts'
import { imageManifestToJson, parseImageManifest, parsePodManifest, podManifestToJson } from '../../../src/spec/index.ts'
import { fullImage, fullPod, image, imageWithApp, pod } from './corpus.ts'

/** Values that a careless parser trips over. */
const oddValues: readonly unknown[] = [
  undefined,
  null,
  true,
  0,
  -0,
  -1,
  1.5,
  2 ** 53,
  1e308,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  '',
  '\0',
  '../../etc/passwd',
  '__proto__',
  'constructor',
  '\ud800',
  'x'.repeat(100_000),
  [],
  [[]],
  [null],
  {},
  { name: {} },
  { __proto__: { name: 'a' } },
  JSON.parse('{"__proto__":{"name":"a","value":"b"}}'),
  Object.create(null),
  nested(500),
]

function nested(depth: number): unknown {
  let value: unknown = []
  for (let level = 0; level < depth; level += 1) value = [value]
  return value
}

/** Every document that has one of the odd values in one place of `document`. */
function* mutations(document: unknown): Generator<unknown> {
  yield* oddValues
  if (Array.isArray(document)) {
    for (const [index, item] of document.entries()) for (const changed of mutations(item)) yield document.with(index, changed)
  } else if (typeof document === 'object' && document !== null) {
    for (const [key, item] of Object.entries(document)) for (const changed of mutations(item)) yield { ...document, [key]: changed }
  }
}

/** Parses each; what is accepted must be the same after it was written and parsed again, what is refused must be our failure. */
function survives<T>(documents: Iterable<unknown>, { parse, write }: { parse: (json: unknown) => T; write: (value: T) => unknown }): { good: number; bad: number; wrong: unknown[] } {
  const counts = { good: 0, bad: 0, wrong: [] as unknown[] }
  for (const document of documents) {
    let parsed: T
    try {
      parsed = parse(document)
    } catch (error) {
      if (!isRktError(error, 'invalid-manifest')) counts.wrong.push(error)
      counts.bad += 1
      continue
    }
    counts.good += 1
    const written = JSON.stringify(write(parsed))
    if (JSON.stringify(write(parse(JSON.parse(written)))) !== written) counts.wrong.push(written)
  }
  return counts
}

test('parseImageManifest() takes or refuses every odd value in every place, and nothing else happens', (t) => {
  const { good, bad, wrong } = survives(mutations(fullImage), { parse: parseImageManifest, write: imageManifestToJson })
  t.deepEqual(wrong, [])
  t.true(good > 100 && bad > 1000)
})

test('parsePodManifest() takes or refuses every odd value in every place, and nothing else happens', (t) => {
  const { good, bad, wrong } = survives(mutations(fullPod), { parse: parsePodManifest, write: podManifestToJson })
  t.deepEqual(wrong, [])
  t.true(good > 100 && bad > 500)
})

test('parseImageManifest() reads own members only', (t) => {
  const inherited = Object.create(image({ name: 'example.com/inherited' }))
  t.throws(() => parseImageManifest(inherited))
})

test('parseImageManifest() leaves Object.prototype alone', (t) => {
  const hostile = imageWithApp({ userLabels: JSON.parse('{"__proto__":"polluted","constructor":"c","toString":"t"}') })
  const labels = parseImageManifest(hostile).app?.userLabels ?? {}
  t.deepEqual(Object.keys(labels), ['__proto__', 'constructor', 'toString'])
  t.is(labels['constructor'], 'c')
  t.is(Object.getPrototypeOf(labels), Object.prototype)
  t.false('polluted' in Object.prototype)
})

test('parsePodManifest() accepts apps named after members of Object.prototype', (t) => {
  const names = ['constructor', 'valueof', 'tostring', 'hasownproperty']
  const manifest = parsePodManifest(pod({ apps: names.map((name) => ({ name, image: { id: `sha512-${'b'.repeat(64)}` } })) }))
  t.deepEqual(manifest.apps.map((app) => String(app.name)), names)
})

test('parseImageManifest() refuses a member that Go would take for another, in any of its foldings', (t) => {
  for (const name of ['Name', 'NAME', 'nAmE']) t.throws(() => parseImageManifest(image({ [name]: 'example.com/other' })), { message: /ambiguous member/ })
  t.throws(() => parseImageManifest(image({ acKind: 'ImageManifest', 'ac\u212aind': 'ImageManifest' })), { message: /ambiguous member/ })
  t.throws(() => parseImageManifest(image({ 'label\u017f': [] })), { message: /ambiguous member/ })
})
