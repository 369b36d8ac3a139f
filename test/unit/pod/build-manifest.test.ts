import test from 'ava'
import { parseImageID } from '../../../src/base/index.ts'
import { completePodManifest } from '../../../src/pod/index.ts'
import { parseACIdentifier, parseACName, parsePodManifest, type PodManifest, podManifestToJson, type RuntimeApp, type Volume } from '../../../src/spec/index.ts'
import { appArgs, imageID, podManifest, sampleImage } from './fixtures/sample.ts'

function only(manifest: PodManifest): RuntimeApp & { readonly app: NonNullable<RuntimeApp['app']> } {
  const [app] = manifest.apps
  if (app?.app === undefined) throw new Error('the manifest has no app')
  return { ...app, app: app.app }
}

const data: Volume = { name: parseACName('data'), kind: 'empty', mode: '0755', uid: 0, gid: 0 }

test('an app takes its name from the last part of the image name, and its section from the image', (t) => {
  const app = only(podManifest([appArgs({ image: sampleImage({}, 'example.com/my_tool.x') })]))
  t.is<unknown, unknown>(app.name, 'my-tool-x')
  t.deepEqual(app.app.exec, ['/bin/true'])
  t.is<unknown, unknown>(app.image.id, imageID)
  t.is<unknown, unknown>(app.image.name, 'example.com/my_tool.x')
})

test('arguments are appended to the command of the image, or to the one word of --exec', (t) => {
  t.deepEqual(only(podManifest([appArgs({ args: ['-x', 'a b'] })])).app.exec, ['/bin/true', '-x', 'a b'])
  t.deepEqual(only(podManifest([appArgs({ exec: '/bin/echo -n', args: ['y'] })])).app.exec, ['/bin/echo -n', 'y'])
})

test('an image without an app section needs --exec and then runs as the caller', (t) => {
  const image = { ...sampleImage(), manifest: withoutApp() }
  t.throws(() => podManifest([appArgs({ image })]), { message: 'image "example.com/tools/busybox" has no app section and --exec argument is not provided' })
  const { app } = only(podManifest([appArgs({ image, exec: '/bin/sh' })], { caller: { uid: 12, gid: 34 } }))
  t.deepEqual([app.exec, app.user, app.group], [['/bin/sh'], '12', '34'])
})

function withoutApp(): ReturnType<typeof sampleImage>['manifest'] {
  const { app: _app, ...manifest } = sampleImage().manifest
  return manifest
}

test('overrides of the command line replace those of the image', (t) => {
  const image = sampleImage({ workingDirectory: '/a', userAnnotations: { a: '1', b: '1' }, supplementaryGIDs: [1] })
  const { app, ...runtime } = only(
    podManifest([
      appArgs({
        image,
        name: parseACName('web'),
        user: 'nobody',
        group: '/etc/passwd',
        supplementaryGIDs: [5, 6],
        workingDirectory: '/srv',
        readOnlyRootFS: true,
        annotations: [{ name: parseACIdentifier('x'), value: 'old' }, { name: parseACIdentifier('x'), value: 'new' }],
        userAnnotations: { b: '2' },
        userLabels: { tier: 'front' },
      }),
    ]),
  )
  t.is<unknown, unknown>(runtime.name, 'web')
  t.true(runtime.readOnlyRootFS)
  t.deepEqual(runtime.annotations.map(({ value }) => value), ['new'])
  t.deepEqual([app.user, app.group, app.workingDirectory], ['nobody', '/etc/passwd', '/srv'])
  t.deepEqual(app.supplementaryGIDs, [5, 6])
  t.deepEqual(app.userAnnotations, { a: '1', b: '2' })
  t.deepEqual(app.userLabels, { tier: 'front' })
})

test('mounts of an app stand before those of the pod at the same path, and the first of several stands', (t) => {
  const [data2, data3] = ['data2', 'data3'].map((name) => ({ ...data, name: parseACName(name) }))
  if (data2 === undefined || data3 === undefined) return t.fail()
  const app = only(
    podManifest([appArgs({ mounts: [{ volume: data.name, path: '/a/' }, { volume: data2.name, path: '/a' }] })], {
      volumes: [data, data2, data3],
      podMounts: [{ volume: data3.name, path: '/x/../a' }, { volume: data3.name, path: '/b' }],
    }),
  )
  t.deepEqual(app.mounts, [{ volume: data.name, path: '/a/' }, { volume: data3.name, path: '/b' }])
})

test('what does not fit together is refused in the words of the original', (t) => {
  t.throws(() => podManifest([]), { message: 'must provide at least one image or specify the pod manifest' })
  t.throws(() => podManifest([appArgs(), appArgs()]), { message: 'error: multiple apps with name busybox' })
  t.throws(() => podManifest(undefined, { volumes: [data, data] }), { message: 'duplicate volume name "data"' })
  t.throws(() => podManifest([appArgs({ mounts: [{ volume: data.name, path: '/db' }] })]), { message: 'dangling mount point "/db": volume "data" not found' })
})

test('isolator flags replace all of their kind in the image, and leave the others', (t) => {
  const image = sampleImage({
    isolators: [
      { name: 'os/linux/capabilities-remove-set', value: { set: ['CAP_KILL'] } },
      { name: 'resource/memory', value: { limit: '1G' } },
      { name: 'os/linux/no-new-privileges', value: true },
    ],
  })
  const { app } = only(
    podManifest([appArgs({ image, isolators: { memory: '16Mi', cpu: '500m', cpuShares: 512, capsRetain: 'CAP_NET_ADMIN,cap_kill', seccomp: 'mode=remove,errno=EPERM,reboot', oomScoreAdj: -5 } })]),
  )
  t.deepEqual(
    app.isolators.map(({ name, value }) => ({ name, value })),
    [
      { name: 'os/linux/no-new-privileges', value: true },
      { name: 'resource/memory', value: { default: false, request: '16Mi', limit: '16Mi' } },
      { name: 'resource/cpu', value: { default: false, request: '500m', limit: '500m' } },
      { name: 'os/linux/cpu-shares', value: 512 },
      { name: 'os/linux/capabilities-retain-set', value: { set: ['CAP_NET_ADMIN', 'CAP_KILL'] } },
      { name: 'os/linux/seccomp-remove-set', value: { set: ['reboot'], errno: 'EPERM' } },
      { name: 'os/linux/oom-score-adj', value: -5 },
    ],
  )
})

test('isolator flags that make no sense are refused', (t) => {
  const refused = (isolators: Parameters<typeof appArgs>[0] & object): string | undefined => t.throws(() => podManifest([appArgs(isolators)]))?.message
  t.regex(refused({ isolators: { memory: '4095' } }) ?? '', /--memory=16M/)
  t.is(refused({ isolators: { capsRetain: 'CAP_KILL', capsRemove: 'CAP_KILL' } }), 'cannot use both --caps-retain and --caps-remove on the same image')
  t.regex(refused({ isolators: { seccomp: 'mode=maybe,reboot' } }) ?? '', /^invalid seccomp mode command-line override/)
  t.regex(refused({ isolators: { seccomp: 'mode=retain,shape=round,reboot' } }) ?? '', /^invalid seccomp command-line override/)
  t.regex(refused({ isolators: { cpuShares: 1 } }) ?? '', /2 to 262144/)
})

test('a built manifest reads back as it is', (t) => {
  const manifest = podManifest([appArgs({ isolators: { memory: '16M', capsRemove: 'CAP_KILL' } })], { volumes: [data] })
  t.deepEqual(parsePodManifest(podManifestToJson(manifest)), manifest)
  t.deepEqual(manifest.annotations, [{ name: parseACIdentifier('coreos.com/rkt/stage1/mutable'), value: 'false' }])
})

test('completePodManifest() pins each image by its ID and says what runs', async (t) => {
  const base = parsePodManifest({ acVersion: '0.8.11', acKind: 'PodManifest', apps: [{ name: 'a', image: { id: imageID } }] })
  const asked: string[] = []
  const { manifest, images } = await completePodManifest(base, async (id) => {
    asked.push(id)
    return sampleImage()
  })
  t.deepEqual(asked, [imageID])
  t.is(images.length, 1)
  t.is<unknown, unknown>(manifest.apps[0]?.image.name, 'example.com/tools/busybox')
  t.is(manifest.apps[0]?.app, undefined)
  await t.throwsAsync(completePodManifest(base, async () => ({ ...sampleImage(), manifest: withoutApp() })), { message: /no app section in the pod manifest or the image manifest$/ })
  await t.throwsAsync(completePodManifest({ ...base, apps: [] }, async () => sampleImage()), { message: 'pod must contain at least one application' })
  t.is(manifest.apps[0]?.image.id, parseImageID(imageID))
})
