import test from 'ava'
import { imageManifestToJson, parseImageManifest, parsePodManifest, podManifestToJson } from '../../../src/spec/index.ts'
import { fullImage, fullPod, image, imageWithApp, pod, podWithVolume } from './corpus.ts'

test('imageManifestToJson() gives back what was read, in the same order', (t) => {
  const written = imageManifestToJson(parseImageManifest(fullImage))
  t.is(JSON.stringify(written), JSON.stringify(fullImage))
})

test('imageManifestToJson() writes the order of the original, whatever the order read', (t) => {
  const written = imageManifestToJson(parseImageManifest({ name: 'a', app: { group: '0', user: '0', exec: [] }, acVersion: '0.8.11', acKind: 'ImageManifest' }))
  t.is(JSON.stringify(written), '{"acKind":"ImageManifest","acVersion":"0.8.11","name":"a","app":{"exec":[],"user":"0","group":"0"}}')
})

test('imageManifestToJson() omits what the original omits', (t) => {
  const manifest = parseImageManifest(image({ labels: [], annotations: [], dependencies: [], pathWhitelist: [] }))
  t.deepEqual(imageManifestToJson(manifest), image())
})

test('imageManifestToJson() writes the count of a port and the members of a map as the original does', (t) => {
  const manifest = parseImageManifest(imageWithApp({ ports: [{ name: 'p', port: 1 }], userLabels: { b: '2', a: '1' } }))
  const app = JSON.stringify(imageManifestToJson(manifest)['app'])
  t.true(app.includes('"ports":[{"name":"p","protocol":"","port":1,"count":1,"socketActivated":false}]'))
  t.true(app.includes('"userLabels":{"a":"1","b":"2"}'))
})

test('podManifestToJson() gives back what was read, with image IDs cut as the original cuts them', (t) => {
  const written = JSON.stringify(podManifestToJson(parsePodManifest(fullPod)))
  t.is(written, JSON.stringify(fullPod).replace('0'.repeat(128), '0'.repeat(64)))
})

test('podManifestToJson() writes null for no volumes, isolators and annotations, and an empty list of ports', (t) => {
  const written = podManifestToJson(parsePodManifest(pod()))
  t.is(JSON.stringify(written), JSON.stringify(pod()))
})

test('podManifestToJson() keeps the three states of a flag', (t) => {
  for (const readOnly of [true, false, undefined]) {
    const manifest = podManifestToJson(parsePodManifest(podWithVolume({ kind: 'host', source: '/srv', ...(readOnly === undefined ? {} : { readOnly }) })))
    t.deepEqual(manifest['volumes'], [{ name: 'data', kind: 'host', source: '/srv', ...(readOnly === undefined ? {} : { readOnly }) }])
  }
})

test('podManifestToJson() writes of an empty volume what was said: the rest is for the image to say', (t) => {
  const manifest = podManifestToJson(parsePodManifest(podWithVolume({ kind: 'empty' })))
  t.deepEqual(manifest['volumes'], [{ name: 'data', kind: 'empty' }])
  const owned = { name: 'data', kind: 'empty', mode: '0700', uid: 1, gid: 2 }
  t.deepEqual(podManifestToJson(parsePodManifest(podWithVolume(owned)))['volumes'], [owned])
})
