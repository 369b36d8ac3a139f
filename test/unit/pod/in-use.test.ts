import test from 'ava'
import { rmSync, writeFileSync } from 'node:fs'
import { inUse } from '../../../src/pod/index.ts'
import { imageID, makePlace, prepareSample, treeID } from './fixtures/sample.ts'

test('trees and images of pods in every stage are in use', async (t) => {
  using place = makePlace()
  t.deepEqual(inUse(place.pods), { trees: new Set(), images: new Set() })
  using pod = await prepareSample(place, { overlay: false })
  for (const stage of ['prepared', 'run', 'exited-garbage', 'garbage'] as const) {
    pod.moveTo(stage)
    t.deepEqual(inUse(place.pods), { trees: new Set([treeID]), images: new Set([imageID]) }, stage)
  }
})

test('a damaged pod keeps the tree that its overlay was made for', async (t) => {
  using place = makePlace()
  using pod = await prepareSample(place)
  writeFileSync(pod.inside('appsinfo/busybox/treeStoreID'), '../etc')
  rmSync(pod.inside('pod'))
  t.deepEqual(inUse(place.pods), { trees: new Set([treeID]), images: new Set() })
})
