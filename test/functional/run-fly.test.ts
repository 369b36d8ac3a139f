import { mkdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import test from 'ava'
import { makeAci } from '../support/aci.ts'
import { openPodScene, shellWords } from '../support/pod-scene.ts'

const scene = await openPodScene()
test.after.always(() => scene[Symbol.dispose]())

const fly = '--isolation=fly'
const sh = (line: string, flags: readonly string[] = []): ReturnType<typeof scene.shell> => scene.shell(line, { net: 'host', flags: [fly, ...flags] })

test.serial('fly: the app is root of the host, among its processes, in a root of its own', async (t) => {
  const { code, stdout, stderr } = await sh('for n in pid net ipc uts user cgroup; do readlink /proc/self/ns/$n; done; readlink /proc/self/ns/mnt; hostname; ls /; grep CapEff /proc/self/status')
  t.is(code, 0)
  const lines = stdout.trimEnd().split('\n')
  for (const [index, name] of ['pid', 'net', 'ipc', 'uts', 'user', 'cgroup'].entries()) t.is(lines[index], readlinkSync(`/proc/self/ns/${name}`))
  t.not(lines[6], readlinkSync('/proc/self/ns/mnt'))
  t.is(lines[7], hostname())
  t.true(lines.includes('bin'))
  t.false(lines.includes('root'))
  t.is(lines.at(-1), /^CapBnd.*$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[0]?.replace('CapBnd', 'CapEff'))
  t.regex(stderr, /isolation "fly" keeps nothing apart/)
})

test.serial('fly: exit status, a killing signal and the end of what the app left behind', async (t) => {
  t.is((await sh('exit 7')).code, 7)
  t.is((await sh('kill -9 $$')).code, 137)
  const { code, uuid } = await sh('sleep 987.125 & exit 3')
  t.is(code, 3)
  t.deepEqual(scene.leftovers([uuid]), [])
  t.is((await scene.bash('pgrep -fx "sleep 987.125"')).code, 1)
})

test.serial('fly: a volume is not recursive unless asked, may hold devices, and is read-only when told', async (t) => {
  const volume = scene.place.in('volume')
  mkdirSync(`${volume}/below`, { recursive: true })
  writeFileSync(`${volume}/file`, 'content\n')
  const mount = [`--volume=v,kind=host,source=${volume}`, '--mount=volume=v,target=/v']
  t.is((await sh('cat /v/file; echo changed > /v/file', mount)).stdout, 'content\n')
  t.is(readFileSync(`${volume}/file`, 'utf8'), 'changed\n')
  const readOnly = await sh('echo x > /v/file', [`--volume=v,kind=host,source=${volume},readOnly=true`, '--mount=volume=v,target=/v'])
  t.regex(readOnly.stderr, /Read-only file system/)
})

test.serial('fly: a mount point without a volume is refused by its own name', async (t) => {
  const app = { exec: ['/bin/true'], user: '0', group: '0', mountPoints: [{ name: 'database', path: '/db' }] }
  const path = `${scene.dir}.mount-point.json`
  writeFileSync(path, JSON.stringify({ acVersion: '0.8.11', acKind: 'PodManifest', apps: [{ name: 'one', image: { id: scene.image }, app }] }))
  const { code, stderr } = await scene.rkt(['run', fly, '--net=host', `--pod-manifest=${path}`])
  t.is(code, 254)
  t.regex(stderr, /^run: missing volume for mountpoint "database"$/m)
})

test.serial('fly: enter joins the app, stop ends it, status tells the isolation', async (t) => {
  const pod = await scene.start([fly, scene.image, ...shellWords('echo inside > /mark; exec sleep 1000')], { net: 'host' })
  const entered = await scene.rkt(['enter', pod.uuid, '/bin/sh', '-c', 'cat /mark; readlink /proc/self/ns/pid'])
  t.is(entered.stdout, `inside\n${readlinkSync('/proc/self/ns/pid')}\n`)
  t.regex((await scene.rkt(['status', pod.uuid])).stdout, /^isolation=fly$/m)
  t.is((await scene.rkt(['stop', pod.uuid])).code, 0)
  t.is((await pod.end).code, 143)
  t.is((await scene.rkt(['rm', pod.uuid])).code, 0)
  t.deepEqual(scene.leftovers([pod.uuid]), [])
})

test.serial('fly: the app of a killed pod dies with it, and collection leaves nothing', async (t) => {
  const pod = await scene.start([fly, scene.image, ...shellWords('exec sleep 876.25')], { net: 'host' })
  process.kill(pod.pid, 'SIGKILL')
  await pod.end
  t.is((await scene.rkt(['gc', '--grace-period=0s'])).code, 0)
  t.is((await scene.bash('pgrep -fx "sleep 876.25"')).code, 1)
  t.deepEqual(scene.leftovers([pod.uuid]), [])
})

const refusals: readonly (readonly [what: string, words: readonly string[], text: RegExp])[] = [
  ['two apps', ['run', fly, '--net=host'], /fly only supports 1 application per Pod for now/],
  ['a network of its own', ['run', fly, '--net=none'], /cannot give the pod a network of its own/],
  ['a user namespace', ['run', fly, '--private-users'], /cannot use --private-users with isolation "fly"/],
  ['two choices', ['run', fly, '--stage1-name=coreos.com/rkt/stage1-fly'], /flags --isolation and --stage1-name are mutually exclusive/],
  ['one flag twice', ['run', fly, fly], /--isolation already used/],
  ['an isolation that nobody knows', ['run', '--isolation=jail'], /cannot use isolation "jail"; expected fly, ns, kvm or oci:RUNTIME/],
  ['a stage1 image that is not built in', ['run', '--stage1-name=example.com/stage1'], /cannot use image "example.com\/stage1" as stage1/],
]
for (const [what, words, text] of refusals) {
  test(`choosing an isolation refuses ${what}`, async (t) => {
    const more = what === 'two apps' ? [makeAci(), '--name=other'] : []
    const { code, stderr } = await scene.rkt([...words, scene.image, ...more])
    t.is(code, 254)
    t.regex(stderr, text)
  })
}

for (const words of [['--stage1-name=coreos.com/rkt/stage1-fly:1.30.0'], ['--stage1-from-dir=stage1-fly.aci'], ['--stage1-path=/usr/lib/rkt/stage1-images/stage1-fly.aci']]) {
  test(`the original's ${words.join(' ')} chooses fly`, async (t) => {
    const { code, stdout } = await scene.shell('readlink /proc/self/ns/net', { net: 'host', flags: words })
    t.is(code, 0)
    t.is(stdout.trim(), readlinkSync('/proc/self/ns/net'))
  })
}

test('stage1.d of the configuration chooses the isolation, and a flag wins over it', async (t) => {
  using other = await openPodScene()
  const place = `${other.dir}.config/local/stage1.d`
  mkdirSync(place, { recursive: true })
  writeFileSync(`${place}/fly.json`, JSON.stringify({ rktKind: 'stage1', rktVersion: 'v1', name: 'coreos.com/rkt/stage1-fly', version: '1.30.0' }))
  const line = 'readlink /proc/self/ns/pid'
  t.is((await other.shell(line, { net: 'host' })).stdout.trim(), readlinkSync('/proc/self/ns/pid'))
  t.not((await other.shell(line, { net: 'host', flags: ['--isolation=ns'] })).stdout.trim(), readlinkSync('/proc/self/ns/pid'))
})
