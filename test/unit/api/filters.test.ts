import test from 'ava'
import { matchesEvent } from '../../../src/api/events/event-log.ts'
import { appStates, type EventFilter, type EventMessage, eventTypes, type ImageFilter, type ImageMessage, imageTypes, type PodFilter, type PodMessage, podStates } from '../../../src/api/messages/index.ts'
import { matchesImage } from '../../../src/api/service/image-filter.ts'
import { matchesPod } from '../../../src/api/service/pod-filter.ts'

const app = (name: string, id: string): PodMessage['apps'][number] => ({
  name,
  image: { type: imageTypes.appc, formatVersion: '0.8.11', id },
  state: appStates.running,
  exitCode: 0,
  annotations: [],
})
const pod: PodMessage = {
  id: 'u1',
  pid: 7,
  state: podStates.running,
  apps: [app('web', 'sha512-aa'), app('log', 'sha512-bb')],
  networks: [{ name: 'default', ipv4: '172.16.28.2', ipv6: '' }, { name: 'back', ipv4: '', ipv6: 'fd00::2' }],
  manifest: undefined,
  annotations: [{ key: 'a', value: '1' }, { key: 'b', value: '2' }],
  cgroup: '/machine/rkt-u1',
  createdAtMs: 1,
  startedAtMs: 2,
  gcMarkedAtMs: undefined,
}
const podFilter: PodFilter = { ids: [], states: [], appNames: [], imageIDs: [], networkNames: [], annotations: [], cgroups: [], podSubCgroups: [] }
const podCases: readonly (readonly [boolean, Partial<PodFilter>])[] = [
  [true, {}],
  [true, { ids: ['u0', 'u1'] }],
  [false, { ids: ['u'] }],
  [true, { states: [podStates.exited, podStates.running] }],
  [false, { states: [podStates.exited] }],
  [false, { states: [podStates.undefined] }],
  [true, { appNames: ['log', 'web'] }],
  [false, { appNames: ['log', 'db'] }],
  [true, { imageIDs: ['sha512-bb'] }],
  [false, { imageIDs: ['sha512-bb', 'sha512-cc'] }],
  [true, { networkNames: ['back', 'default'] }],
  [false, { networkNames: ['back', 'front'] }],
  [true, { annotations: [{ key: 'b', value: '2' }, { key: 'a', value: '1' }] }],
  [false, { annotations: [{ key: 'a', value: '1' }, { key: 'b', value: '1' }] }],
  [false, { annotations: [{ key: 'a', value: '' }] }],
  [true, { cgroups: ['/other', '/machine/rkt-u1'] }],
  [true, { cgroups: ['machine/rkt-u1'] }],
  [false, { cgroups: ['/machine'] }],
  [false, { cgroups: ['/machine/rkt-u1/web'] }],
  [true, { podSubCgroups: ['/machine/rkt-u1/web/inner'] }],
  [true, { podSubCgroups: ['/x', '/machine/rkt-u1'] }],
  [false, { podSubCgroups: ['/machine/rkt-u10'] }],
  [false, { podSubCgroups: ['/machine'] }],
  [true, { ids: ['u1'], states: [podStates.running], appNames: ['web'] }],
  [false, { ids: ['u1'], states: [podStates.running], appNames: ['db'] }],
]

for (const [wanted, fields] of podCases) {
  test(`matchesPod() ${wanted ? 'takes' : 'leaves'} ${JSON.stringify(fields)}`, (t) => t.is(matchesPod(pod, { ...podFilter, ...fields }), wanted))
}

test('a pod without a group of its own satisfies no condition on groups', (t) => {
  for (const group of ['', '/', '/x']) {
    t.false(matchesPod({ ...pod, cgroup: '' }, { ...podFilter, cgroups: [group] }))
    t.false(matchesPod({ ...pod, cgroup: '' }, { ...podFilter, podSubCgroups: [group] }))
  }
})

const image: ImageMessage = {
  type: imageTypes.appc,
  formatVersion: '0.8.11',
  id: 'sha512-aa',
  name: 'example.com/base/etcd',
  importedAtMs: 1_000_900,
  labels: [{ key: 'version', value: '1' }, { key: 'os', value: 'linux' }],
  annotations: [{ key: 'authors', value: 'me' }],
}
const imageFilter: ImageFilter = { ids: [], prefixes: [], baseNames: [], keywords: [], labels: [], importedAfter: 0, importedBefore: 0, annotations: [], fullNames: [] }
const imageCases: readonly (readonly [boolean, Partial<ImageFilter>])[] = [
  [true, {}],
  [true, { ids: ['x', 'sha512-aa'] }],
  [false, { ids: ['sha512-a'] }],
  [true, { prefixes: ['other', 'example.com/b'] }],
  [false, { prefixes: ['xample.com'] }],
  [true, { baseNames: ['etcd'] }],
  [false, { baseNames: ['etc', 'base'] }],
  [true, { keywords: ['se/et'] }],
  [false, { keywords: ['etcd2'] }],
  [true, { fullNames: ['x', 'example.com/base/etcd'] }],
  [false, { fullNames: ['example.com/base'] }],
  [true, { labels: [{ key: 'os', value: 'linux' }, { key: 'version', value: '1' }] }],
  [false, { labels: [{ key: 'os', value: 'linux' }, { key: 'version', value: '2' }] }],
  [true, { annotations: [{ key: 'authors', value: 'me' }] }],
  [false, { annotations: [{ key: 'authors', value: 'you' }] }],
  [true, { importedAfter: 999, importedBefore: 1001 }],
  [false, { importedAfter: 1000 }],
  [false, { importedBefore: 1000 }],
  [false, { fullNames: ['example.com/base/etcd'], keywords: ['none'] }],
]

for (const [wanted, fields] of imageCases) {
  test(`matchesImage() ${wanted ? 'takes' : 'leaves'} ${JSON.stringify(fields)}`, (t) => t.is(matchesImage(image, { ...imageFilter, ...fields }), wanted))
}

const event: EventMessage = { kind: 'appExited', id: 'u1', from: 'web', timeMs: 5500, data: [] }
const eventFilter: EventFilter = { types: [], ids: [], names: [], sinceTime: 0, untilTime: 0 }
const eventCases: readonly (readonly [boolean, Partial<EventFilter>])[] = [
  [true, {}],
  [true, { types: [eventTypes.podExited, eventTypes.appExited] }],
  [false, { types: [eventTypes.podExited] }],
  [true, { ids: ['u1', 'u2'] }],
  [false, { ids: ['u2'] }],
  [true, { names: ['web'] }],
  [false, { names: ['u1'] }],
  [true, { sinceTime: 5 }],
  [false, { sinceTime: 6 }],
  [true, { untilTime: 6 }],
  [false, { untilTime: 5 }],
  [false, { types: [eventTypes.appExited], names: ['db'] }],
]

for (const [wanted, fields] of eventCases) {
  test(`matchesEvent() ${wanted ? 'takes' : 'leaves'} ${JSON.stringify(fields)}`, (t) => t.is(matchesEvent(event, { ...eventFilter, ...fields }), wanted))
}
