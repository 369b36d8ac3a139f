import test from 'ava'
import { makeAci } from '../support/aci.ts'
import { groupsOf, openPodScene, podDirectories, shellWords } from '../support/pod-scene.ts'
import { mountsBelow } from '../support/temp.ts'

const scene = await openPodScene({ files: { which: 'first' } })
test.after.always(() => scene[Symbol.dispose]())

test.serial('F6: 32 pods of the same and of different images, started at once, each run their own, and one collection takes them all', async (t) => {
  const fetched = await scene.rkt(['fetch', '--full', makeAci({ manifest: { name: 'example.com/second' }, files: { which: 'second' } })])
  const images = [{ id: scene.image, says: 'first' }, { id: fetched.stdout.trim(), says: 'second' }] as const
  const ran = await Promise.all(Array.from({ length: 32 }, async (_, index) => {
    const { id, says } = images[index % 2 === 0 ? 0 : 1]
    const { code, stdout, stderr } = await scene.rkt(['run', '--net=none', id, ...shellWords(`cat /which; exit ${index}`)])
    return { wanted: { code: index, stdout: says }, got: { code, stdout }, stderr }
  }))
  for (const { wanted, got, stderr } of ran) t.deepEqual(got, wanted, stderr)
  const uuids = podDirectories(scene.dir).map((path) => path.split('/').at(-1) ?? '')
  t.is(uuids.length, 32)
  t.is((await scene.rkt(['gc', '--grace-period=0s'])).code, 0)
  t.deepEqual(podDirectories(scene.dir), [])
  t.deepEqual(groupsOf(uuids), [])
  t.deepEqual(scene.leftovers(uuids), [])
})

test.serial('B18: pods of isolation fly that start, stop and are killed leave no mount on the host, collected or not', async (t) => {
  const fly = ['--isolation=fly', scene.image]
  const killed = await Promise.all(Array.from({ length: 5 }, async () => {
    const pod = await scene.start([...fly, '--exec=/bin/sleep', '--', '1000'], { net: 'host' })
    process.kill(pod.pid, 'SIGKILL')
    await pod.end
    return pod.uuid
  }))
  for (let round = 0; round < 5; round += 1) {
    const codes = await Promise.all(Array.from({ length: 5 }, async (_, index) => (await scene.rkt(['run', '--net=host', ...fly, ...shellWords(`exit ${index}`)])).code))
    t.deepEqual(codes, [0, 1, 2, 3, 4])
  }
  t.deepEqual(mountsBelow(scene.place.path), [], 'before the collection')
  t.is((await scene.rkt(['gc', '--grace-period=0s'])).code, 0)
  t.deepEqual(scene.leftovers(killed), [])
})
