import { readdirSync } from 'node:fs'
import test from 'ava'
import { makeAci } from '../support/aci.ts'
import { temporaryDirectory } from '../support/temp.ts'
import { rkt } from '../support/run.ts'
import { openScene, shell } from './cli-scene.ts'

const linux = { name: 'os', value: 'linux' }
const amd64 = { name: 'arch', value: process.arch === 'arm64' ? 'aarch64' : 'amd64' }

test('an image without labels os and arch, or with those of another platform, is stored but makes no pod', async (t) => {
  using scene = await openScene(t)
  const cases: [labels: readonly { name: string; value: string }[], said: RegExp][] = [
    [[amd64], /^(run|prepare): missing os label in the image manifest$/m],
    [[linux], /^(run|prepare): missing arch label in the image manifest$/m],
    [[{ name: 'os', value: 'freebsd' }, { name: 'arch', value: 'amd64' }], /^(run|prepare): bad os "freebsd" \(must be one of: \[linux\]\)$/m],
    [[linux, { name: 'arch', value: 'ppc64' }], /^(run|prepare): bad arch "ppc64" for linux \(must be one of: \[.+\]\)$/m],
  ]
  for (const [labels, said] of cases) {
    const image = makeAci({ manifest: { name: 'example.com/platform', labels } })
    t.is((await scene.rkt(['fetch', image])).code, 0)
    for (const verb of [['run', '--net=none'], ['prepare']]) {
      const { code, stderr } = await scene.rkt([...verb, image])
      t.is(code, 254)
      t.regex(stderr, said)
    }
  }
  const { code, stderr } = await scene.rkt(['run', '--net=none', makeAci({ manifest: { labels: [linux, { name: 'arch', value: 'armv5l' }] } })])
  t.is(code, 254)
  t.regex(stderr, /bad arch "armv5l" for linux \(must be one of: /)
  t.deepEqual(scene.pods(), [])
})

test('an image that names no program needs --exec', async (t) => {
  using scene = await openScene(t, { manifest: { app: { exec: [] } } })
  const { code, stderr } = await scene.run([])
  t.is(code, 254)
  t.regex(stderr, /image "example\.com\/busybox" has an empty "exec" \(try --exec=BINARY\)/)
  t.is((await scene.run(['--exec=/bin/echo', '--', 'said'])).stdout, 'said\n')
})

test('a missing image file is told before the signature beside it', async (t) => {
  using place = temporaryDirectory()
  for (const verb of ['fetch', 'prepare', 'run']) {
    const { code, stderr } = await rkt([verb, '/nonexistent/x.aci'], { dir: place.in('data') })
    t.is(code, 254)
    t.is(stderr, `${verb}: cannot open image file "/nonexistent/x.aci": ENOENT: no such file or directory\n`)
  }
})

test('short, ambiguous and foreign IDs have the words of the original, in every verb that takes an image', async (t) => {
  using scene = await openScene(t)
  const cases: [string, RegExp][] = [
    ['sha512-1', /image ID too short/],
    ['sha512-', /image ID too short/],
    [`sha512-${'0'.repeat(16)}`, /no image IDs found/],
    ['example.com/nothing', /cannot find image|unable to fetch image from image name "example\.com\/nothing": either image was not found in the store/],
  ]
  for (const [reference, said] of cases) {
    for (const verb of [['run', '--net=none', '--pull-policy=never'], ['prepare', '--pull-policy=never'], ['image', 'cat-manifest'], ['image', 'rm']]) {
      const { code, stderr } = await scene.rkt([...verb, reference])
      t.is(code, 254, reference)
      t.regex(stderr, said)
    }
  }
  t.is((await scene.rkt(['run', '--rm', '--net=none', scene.image.slice(0, 12)])).code, 0)
})

test('a prepared pod runs after its image was removed, and keeps its tree until it is gone', async (t) => {
  using scene = await openScene(t)
  const uuid = (await scene.rkt(['prepare', '--quiet', scene.image, ...shell('echo still here')])).stdout.trim()
  const removed = await scene.rkt(['image', 'rm', scene.image, scene.image.slice(0, 20), 'example.com/busybox'])
  t.is(removed.code, 0)
  t.is(removed.stdout, `successfully removed aci for image: "${scene.image}"\n`)
  t.is(removed.stderr, 'rm: 1 image(s) successfully removed\n')
  t.is((await scene.rkt(['image', 'gc', '--grace-period=0s'])).code, 0)
  const { stdout, stderr } = await scene.rkt(['run-prepared', '--net=none', uuid])
  t.is(stdout, 'still here\n', stderr)
  t.is((await scene.rkt(['rm', uuid])).stdout, `"${uuid}"\n`)
  t.regex((await scene.rkt(['image', 'gc', '--grace-period=0s'])).stderr, /removed treestore "deps-sha512-/)
  t.deepEqual(readdirSync(scene.place.in('data', 'cas', 'tree')), [])
})
