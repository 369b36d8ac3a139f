import test from 'ava'
import { sourcesBelow, type Source } from '../support/sources.ts'

/** Each room and the rooms that it may use; imports point down only. */
const below: Readonly<Record<string, readonly string[]>> = {
  base: [],
  spec: ['base'],
  trust: ['base', 'spec'],
  fetch: ['base', 'spec'],
  store: ['base', 'spec', 'trust', 'fetch'],
  network: ['base', 'spec', 'trust', 'fetch', 'store'],
  pod: ['base', 'spec', 'trust', 'fetch', 'store', 'network'],
  stage1: ['base', 'spec', 'trust', 'fetch', 'store', 'network', 'pod'],
  api: ['base', 'spec', 'trust', 'fetch', 'store', 'network', 'pod', 'stage1'],
  cli: ['base', 'spec', 'trust', 'fetch', 'store', 'network', 'pod', 'stage1', 'api'],
}

const sources = sourcesBelow('src', ['.ts'])
const roomOf = (path: string): string => path.split('/')[1] ?? ''

test('every file lies in a room of the import table', (t) => {
  for (const { path } of sources) t.true(Object.hasOwn(below, roomOf(path)), path)
})

test('imports point down only, and enter another room by its door', (t) => {
  const faults = sources.flatMap(({ path, imports }) =>
    imports
      .filter(({ target }) => roomOf(target) !== roomOf(path))
      .filter(({ target }) => !(below[roomOf(path)] ?? []).includes(roomOf(target)) || target !== `src/${roomOf(target)}/index.ts`)
      .map(({ target }) => `${path} imports ${target}`),
  )
  t.deepEqual(faults, [])
})

test('no file imports what, in turn, imports it', (t) => {
  t.deepEqual(findCycles(sources), [])
})

test('what uses Node by name says `node:`, and only the packages that are declared are used', (t) => {
  const allowed = new Set(['@sigstore/bundle', '@sigstore/protobuf-specs', '@sigstore/verify', 'htmlparser2', 'openpgp', 'tar', 'uuid', 'yargs', 'yargs-parser', 'yargs/helpers'])
  const faults = sources.flatMap(({ path, text }) =>
    [...text.matchAll(/(?:from |import\()'([^'.][^']*)'/g)]
      .map((match) => match[1] ?? '')
      .filter((name) => !name.startsWith('node:') && !allowed.has(name))
      .map((name) => `${path} imports ${name}`),
  )
  t.deepEqual(faults, [])
})

/** Cycles of imports that are carried out when a module is loaded; types and lazy imports are not. */
function findCycles(all: readonly Source[]): readonly string[] {
  const edges = new Map(all.map(({ path, imports }) => [path, imports.filter(({ kind }) => kind === 'value').map(({ target }) => target)]))
  const done = new Set<string>()
  const cycles: string[] = []
  const visit = (path: string, trail: readonly string[]): void => {
    if (trail.includes(path)) cycles.push([...trail.slice(trail.indexOf(path)), path].join(' → '))
    if (done.has(path) || trail.includes(path)) return
    for (const target of edges.get(path) ?? []) visit(target, [...trail, path])
    done.add(path)
  }
  for (const { path } of all) visit(path, [])
  return cycles
}
