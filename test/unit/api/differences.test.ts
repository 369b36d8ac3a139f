import test from 'ava'
import { differences } from '../../../src/api/events/differences.ts'
import type { PodSight, Snapshot } from '../../../src/api/events/snapshot.ts'
import { parsePodUUID } from '../../../src/base/index.ts'
import type { PodState } from '../../../src/pod/index.ts'

const uuid = parsePodUUID('0f9d9d92-3b0b-4c6b-8f0a-6a5ad2f8b1c1')
const running = { startedAtMs: 5000, finished: undefined }
const ended = { startedAtMs: 5000, finished: { atMs: 6000, exitCode: 3 } }

function pod(state: PodState, apps: PodSight['apps'] extends ReadonlyMap<string, infer App> ? Readonly<Record<string, App>> : never = {}): PodSight {
  const started = Object.values(apps).length > 0
  return { state, startedAtMs: started ? 4000 : undefined, apps: new Map(Object.entries(apps)) }
}

function moment(sight: PodSight | undefined, images: Readonly<Record<string, string>> = {}): Snapshot {
  return { pods: new Map(sight === undefined ? [] : [[uuid, sight]]), images: new Map(Object.entries(images)) }
}

function kinds(before: PodSight | undefined, after: PodSight | undefined): string[] {
  return differences(moment(before), moment(after), 9000).map(({ kind, from }) => (from === uuid ? kind : `${kind} ${from}`))
}

const lives: readonly (readonly [string, PodSight | undefined, PodSight | undefined, readonly string[]])[] = [
  ['a new embryo', undefined, pod('embryo'), []],
  ['a preparation that goes on', pod('embryo'), pod('preparing'), []],
  ['a preparation that has ended', pod('preparing'), pod('prepared'), ['podPrepared']],
  ['a preparation that nobody saw begin', undefined, pod('prepared'), ['podPrepared']],
  ['a preparation that failed', pod('preparing'), pod('aborted prepare'), ['podPrepareAborted']],
  ['a failed preparation that is collected', pod('aborted prepare'), pod('garbage'), []],
  ['a failed preparation that is removed', pod('aborted prepare'), undefined, ['podGarbageCollected']],
  ['a preparation that vanishes', pod('preparing'), undefined, ['podGarbageCollected']],
  ['rkt run, before its first process', pod('preparing'), pod('running'), ['podPrepared']],
  ['rkt run', pod('preparing'), pod('running', { one: running }), ['podPrepared', 'podStarted', 'appStarted one']],
  ['a start', pod('prepared'), pod('running', { one: running }), ['podStarted', 'appStarted one']],
  ['an app that ends', pod('running', { one: running, two: running }), pod('running', { one: ended, two: running }), ['appExited one']],
  ['an app that is started again', pod('running', { one: ended }), pod('running', { one: { startedAtMs: 7000, finished: undefined } }), ['appStarted one']],
  ['an app that is added', pod('running', { one: running }), pod('running', { one: running, two: running }), ['appStarted two']],
  ['an end', pod('running', { one: running }), pod('exited', { one: ended }), ['appExited one', 'podExited']],
  ['a start that failed', pod('running'), pod('exited'), ['podExited']],
  ['an end, and its mark', pod('exited', { one: ended }), pod('exited garbage', { one: ended }), []],
  ['a deletion', pod('exited garbage', { one: ended }), pod('exited deleting', { one: ended }), []],
  ['the end of a deletion', pod('exited deleting', { one: ended }), undefined, ['podGarbageCollected']],
  ['a pod that removes itself', pod('running', { one: running }), undefined, ['appExited one', 'podExited', 'podGarbageCollected']],
  ['a prepared pod that expires', pod('prepared'), pod('garbage'), []],
  ['a whole life between two looks', undefined, pod('exited', { one: ended }), ['podPrepared', 'podStarted', 'appStarted one', 'appExited one', 'podExited']],
  ['nothing', pod('running', { one: running }), pod('running', { one: running }), []],
]

for (const [name, before, after, wanted] of lives) {
  test(`differences() tells of ${name}`, (t) => t.deepEqual(kinds(before, after), wanted))
}

test('differences() tells of images by ID and name, and gives the exit code and times of an app', (t) => {
  t.deepEqual(
    differences(moment(undefined, { a: 'example.com/a' }), moment(undefined, { b: 'example.com/b' }), 9000).map(({ kind, id, from }) => [kind, id, from]),
    [['imageImported', 'b', 'example.com/b'], ['imageRemoved', 'a', 'example.com/a']],
  )
  const [exit] = differences(moment(pod('running', { one: running })), moment(pod('running', { one: ended })), 9000)
  t.deepEqual([exit?.timeMs, exit?.data], [6000, [{ key: 'exit_code', value: '3' }]])
})
