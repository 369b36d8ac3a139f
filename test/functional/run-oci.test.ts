import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import test from 'ava'
import { openPodScene, shellWords } from '../support/pod-scene.ts'

const scene = await openPodScene()
test.after.always(() => scene[Symbol.dispose]())

const runtimes = ['crun', 'runc', 'runsc'] as const

for (const runtime of runtimes) {
  const flag = `--isolation=oci:${runtime}`
  const sh = (line: string, flags: readonly string[] = [], app: readonly string[] = []): ReturnType<typeof scene.shell> => scene.shell(line, { flags: [flag, ...flags], app })

  test.serial(`${runtime}: output, exit status and killing signal of the app are those of the pod`, async (t) => {
    const { code, stdout, stderr, uuid } = await sh('echo out; echo err >&2; exit 7')
    t.is(code, 7)
    t.is(stdout, 'out\n')
    t.regex(stderr, /^err$/m)
    t.is((await sh('kill -9 $$')).code, 137)
    t.deepEqual(scene.leftovers([uuid]), [])
  })

  test.serial(`${runtime}: environment, working directory, user and capabilities are the app's`, async (t) => {
    const { code, stdout, stderr } = await sh('echo $AC_APP_NAME $container; pwd; id -u; id -g; grep -E "CapEff|CapBnd" /proc/self/status', [], ['--user=1000', '--group=1000', '--working-dir=/bin', '--name=other', '--caps-retain=CAP_CHOWN'])
    t.is(code, 0, stderr)
    t.is(stdout, 'other rkt\n/bin\n1000\n1000\nCapEff:\t0000000000000000\nCapBnd:\t0000000000000001\n')
  })

  test.serial(`${runtime}: volumes are mounted with their owners, read-only when told, and a read-only root is one`, async (t) => {
    const volume = scene.place.in(`volume-${runtime}`)
    mkdirSync(volume)
    writeFileSync(`${volume}/file`, 'content\n')
    const mount = '--mount=volume=v,target=/v'
    const writable = await sh('stat -c %u:%g /v/file; cat /v/file; echo changed > /v/file', [`--volume=v,kind=host,source=${volume}`, mount])
    t.is(writable.stdout, '0:0\ncontent\n')
    t.is(readFileSync(`${volume}/file`, 'utf8'), 'changed\n')
    const readOnly = await sh('echo x > /v/file', [`--volume=v,kind=host,source=${volume},readOnly=true`, mount])
    t.regex(readOnly.stderr, /Read-only file system/)
    t.regex((await sh('echo x > /file', [], ['--readonly-rootfs=true'])).stderr, /Read-only file system/)
  })

  test.serial(`${runtime}: enter runs in the app, stop ends it, a killed pod dies and collection leaves nothing`, async (t) => {
    const pod = await scene.start([flag, scene.image, ...shellWords('echo inside > /mark; exec sleep 1000')])
    // The pid file is there before the runtime has made the container.
    for (let tries = 0; tries < 100 && (await scene.rkt(['enter', pod.uuid, '/bin/cat', '/mark'])).code !== 0; tries += 1);
    const entered = await scene.rkt(['enter', pod.uuid, '/bin/sh', '-c', 'cat /mark; echo $AC_APP_NAME; exit 4'])
    t.is(entered.stdout, 'inside\nbusybox\n')
    t.is(entered.code, 4)
    t.regex((await scene.rkt(['status', pod.uuid])).stdout, new RegExp(`^isolation=oci:${runtime}$`, 'm'))
    t.is((await scene.rkt(['stop', pod.uuid])).code, 0)
    await pod.end
    t.is((await scene.rkt(['rm', pod.uuid])).code, 0)
    const killed = await scene.start([flag, scene.image, ...shellWords('exec sleep 1000')])
    process.kill(killed.pid, 'SIGKILL')
    await killed.end
    t.is((await scene.rkt(['gc', '--grace-period=0s'])).code, 0)
    t.deepEqual(scene.leftovers([pod.uuid, killed.uuid]), [])
  })

  test.serial(`${runtime}: an app with an event handler is refused`, async (t) => {
    const manifest = scene.place.in(`handlers-${runtime}.json`)
    const app = { exec: ['/bin/true'], user: '0', group: '0', eventHandlers: [{ name: 'pre-start', exec: ['/bin/true'] }] }
    writeFileSync(manifest, JSON.stringify({ acVersion: '0.8.11', acKind: 'PodManifest', apps: [{ name: 'x', image: { id: scene.image }, app }] }))
    const { code, stderr } = await scene.rkt(['run', '--net=none', flag, `--pod-manifest=${manifest}`])
    t.is(code, 254)
    t.regex(stderr, /cannot run app "x" with isolation "oci": OCI runtimes have no event handlers/)
  })
}

for (const runtime of ['crun', 'runc'] as const) {
  test.serial(`${runtime}: the apps of a pod share its namespaces, and one that ends well leaves the others`, async (t) => {
    const look = 'for n in pid net ipc uts user; do readlink /proc/self/ns/$n; done; hostname; sleep 1; echo last'
    const apps = [scene.image, '--name=a', ...shellWords(look), '---', scene.image, '--name=b', ...shellWords(look.replace('sleep 1; echo last', 'true'))]
    const { code, stdout } = await scene.rkt(['run', '--rm', '--net=none', '--hostname=pod', `--isolation=oci:${runtime}`, ...apps])
    t.is(code, 0)
    const of = (app: string): readonly string[] => stdout.split('\n').flatMap((line) => new RegExp(` ${app}\\[\\d+\\]: (.*)`).exec(line)?.[1] ?? [])
    t.deepEqual(of('a').slice(0, 6), of('b'))
    t.is(of('b').length, 6)
    t.is(of('a').at(-1), 'last')
    t.is(of('b').at(-1), 'pod')
  })
}

test('runsc: a second app is refused', async (t) => {
  const { code, stderr } = await scene.rkt(['run', '--net=none', '--isolation=oci:runsc', scene.image, '--name=a', scene.image, '--name=b'])
  t.is(code, 254)
  t.regex(stderr, /runsc isolates one app from another, and takes 1 per pod/)
})

test('a runtime that is not there is named, with the command that installs it', async (t) => {
  const { code, stderr } = await scene.rkt(['run', '--net=none', '--isolation=oci:youki', scene.image])
  t.is(code, 254)
  t.regex(stderr, /cannot use isolation "oci:youki": no program "youki"/)
  t.regex(stderr, /apt-get install youki/)
})
