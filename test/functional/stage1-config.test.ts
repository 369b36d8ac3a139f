import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import test from 'ava'
import { openScene, shell, type Scene } from './cli-scene.ts'

function configure(scene: Scene, file: string, fields: Readonly<Record<string, string>>): void {
  const path = scene.place.in('data.config', 'local', file)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, JSON.stringify({ rktVersion: 'v1', ...fields }))
}

const foreign: Readonly<Record<string, (scene: Scene) => Readonly<Record<string, string>>>> = {
  'an image of another publisher': () => ({ name: 'example.com/stage1', version: '1.0.0' }),
  'a location on a server': () => ({ location: 'https://example.com/stage1-coreos.aci' }),
  'an image file that exists': (scene) => {
    writeFileSync(scene.place.in('stage1-coreos.aci'), '')
    return { location: scene.place.in('stage1-coreos.aci') }
  },
}

for (const [what, fields] of Object.entries(foreign)) {
  test(`stage1.d that asks for ${what} starts nothing; a flag goes over it`, async (t) => {
    using scene = await openScene(t)
    configure(scene, 'stage1.d/stage1.json', { rktKind: 'stage1', ...fields(scene) })
    for (const words of [['run', '--net=none', scene.image], ['prepare', scene.image]]) {
      const { code, stdout, stderr } = await scene.rkt(words)
      t.is(code, 254)
      t.is(stdout, '')
      t.regex(stderr, /cannot use .* of the configuration as stage1: only the built-in ones can be used/)
    }
    t.deepEqual(scene.pods(), [])
    t.is((await scene.rkt(['run', '--rm', '--net=none', '--isolation=ns', scene.image, ...shell('echo ran')])).stdout, 'ran\n')
  })
}

test("stage1.d with the original's own name and location means what is built in, and rkt config prints it", async (t) => {
  using scene = await openScene(t)
  const fields = { name: 'coreos.com/rkt/stage1-coreos', version: '1.30.0', location: '/usr/lib/rkt/stage1-images/stage1-coreos.aci' }
  configure(scene, 'stage1.d/stage1.json', { rktKind: 'stage1', ...fields })
  t.is((await scene.rkt(['run', '--rm', '--net=none', scene.image, ...shell('echo ran')])).stdout, 'ran\n')
  t.deepEqual(JSON.parse((await scene.rkt(['config'])).stdout), { stage0: [{ rktVersion: 'v1', rktKind: 'stage1', ...fields }] })
})

test('--stage1-from-dir names a file of stage1-images: one that is there is refused, one that is not means what is built in', async (t) => {
  using scene = await openScene(t)
  mkdirSync(scene.place.in('images'))
  configure(scene, 'paths.d/paths.json', { rktKind: 'paths', 'stage1-images': scene.place.in('images') })
  const run = ['run', '--rm', '--net=none', '--stage1-from-dir=stage1-coreos.aci', scene.image, ...shell('echo ran')]
  t.is((await scene.rkt(run)).stdout, 'ran\n')
  writeFileSync(scene.place.in('images', 'stage1-coreos.aci'), '')
  const { code, stderr } = await scene.rkt(run)
  t.is(code, 254)
  t.true(stderr.includes(`cannot use file "${scene.place.in('images', 'stage1-coreos.aci')}" as stage1`))
})
