import { mkdirSync, readlinkSync, writeFileSync } from 'node:fs'
import test from 'ava'
import { makeAci } from '../support/aci.ts'
import { openScene, shell } from './cli-scene.ts'

test('a program whose interpreter the image lacks is told in the words of the original', async (t) => {
  using scene = await openScene(t)
  const { code, stderr } = await scene.rkt(['run', '--rm', '--net=none', makeAci({ files: { dynamic: { copy: '/bin/ls' } } }), '--exec=/dynamic'])
  t.is(code, 254)
  t.regex(stderr, /^stage1: cannot execute the program: Error: Unable to open "\/\S+\/ld-\S+": No such file or directory; /m)
})

test('--oom-score-adj raises the score of the app alone', async (t) => {
  using scene = await openScene(t)
  for (const flags of [[], ['--private-users=false']]) {
    const line = ['--oom-score-adj=300', '--exec=/bin/cat', '--', '/proc/self/oom_score_adj']
    const { stdout, stderr } = await scene.rkt(['run', '--rm', '--net=none', ...flags, scene.image, ...line])
    t.is(stdout, '300\n', stderr)
  }
})

test('--ipc: the namespace is private or the host\'s, other words are refused', async (t) => {
  using scene = await openScene(t)
  const host = `${readlinkSync('/proc/self/ns/ipc')}\n`
  const namespace = async (flag: string): Promise<string> =>
    (await scene.rkt(['run', '--rm', '--net=none', flag, scene.image, '--exec=/bin/readlink', '--', '/proc/self/ns/ipc'])).stdout
  t.is(await namespace('--ipc=parent'), host)
  for (const flag of ['--ipc=private', '--ipc=auto', '--ipc=']) t.regex(await namespace(flag), /^ipc:\[\d+\]\n$/)
  t.not(await namespace('--ipc=private'), host)
  const { code, stderr } = await scene.rkt(['run', '--ipc=frob', scene.image])
  t.is(code, 254)
  t.regex(stderr, /unknown value for --ipc parameter: frob/)
})

test('an override that is empty overrides nothing', async (t) => {
  using scene = await openScene(t, { manifest: { app: { exec: ['/bin/echo', 'own'] } } })
  const { stdout, stderr } = await scene.run(['--exec=', '--user=', '--group=', '--name=', '--working-dir=', '--signature=', '--', 'more'])
  t.is(stdout, 'own more\n', stderr)
})

test('event handlers run as root, in order, around an app of another user; a failing one is the failure of the app', async (t) => {
  const handler = (name: string, line: string): unknown => ({ name, exec: ['/bin/sh', '-c', line] })
  const app = { exec: ['/bin/sh', '-c', 'echo app $(id -u)'], user: '1000', group: '1000' }
  using scene = await openScene(t, {
    manifest: { app: { ...app, eventHandlers: [handler('pre-start', 'echo pre $(id -u) $AC_APP_NAME'), handler('post-stop', 'echo post $(id -u)')] } },
  })
  t.is((await scene.run([])).stdout, 'pre 0 busybox\napp 1000\npost 0\n')
  const failing = makeAci({ manifest: { name: 'example.com/failing', app: { ...app, eventHandlers: [handler('pre-start', 'exit 3')] } } })
  const { code, stdout } = await scene.rkt(['run', '--rm', '--net=none', failing])
  t.is(code, 3)
  t.is(stdout, '')
})

test('a mount point without a volume gets an empty one, which is told of once', async (t) => {
  using scene = await openScene(t, { manifest: { app: { mountPoints: [{ name: 'data', path: '/data' }] } } })
  const { stdout, stderr } = await scene.run(['--exec=/bin/stat', '--', '-c', '%a %u %g', '/data'])
  t.is(stdout, '755 0 0\n')
  t.is(stderr.split('no volume specified for mount point "data", implicitly creating an "empty" volume').length, 2, stderr)
})

test('mount targets stay in the image, through links and ".." too', async (t) => {
  using scene = await openScene(t, { files: { 'dir/own': '' } })
  mkdirSync(scene.place.in('volume'))
  writeFileSync(scene.place.in('volume', 'file'), 'content')
  const volume = `--volume=v,kind=host,source=${scene.place.in('volume')}`
  for (const [target, seen] of [['/bin/../dir', '/dir'], ['/../../new', '/new'], ['dir', '/dir'], ['/dir/../deep/er', '/deep/er']] as const) {
    const { stdout, stderr } = await scene.rkt(['run', '--rm', '--net=none', volume, `--mount=volume=v,target=${target}`, scene.image, '--exec=/bin/cat', '--', `${seen}/file`])
    t.is(stdout, 'content', `${target}: ${stderr}`)
  }
})

test('the terminal device and mtab are those that programs expect', async (t) => {
  using scene = await openScene(t)
  const { stdout } = await scene.run(['--user=1000', ...shell('stat -Lc "%a %u %g %t:%T" /dev/ptmx; readlink /etc/mtab')])
  t.is(stdout, '666 0 0 5:2\n../proc/self/mounts\n')
})

test('isolators: any no-new-privileges counts, one list of system calls only, flags replace capabilities', async (t) => {
  using scene = await openScene(t)
  const run = async (isolators: readonly (readonly [string, unknown])[], words: readonly string[]): Promise<{ code: number | null; stdout: string; stderr: string }> =>
    scene.rkt(['run', '--rm', '--net=none', makeAci({ manifest: { app: { isolators: isolators.map(([name, value]) => ({ name: `os/linux/${name}`, value })) } } }), ...words])
  const status = (field: string): readonly string[] => ['--exec=/bin/grep', '--', field, '/proc/self/status']
  const privileges = 'no-new-privileges'
  t.is((await run([[privileges, false], [privileges, true], [privileges, false]], status('NoNewPrivs'))).stdout, 'NoNewPrivs:\t1\n')
  t.is((await run([[privileges, false]], status('NoNewPrivs'))).stdout, 'NoNewPrivs:\t0\n')
  const retain = ['capabilities-retain-set', { set: ['CAP_NET_RAW'] }] as const
  t.is((await run([retain], status('CapBnd'))).stdout, 'CapBnd:\t0000000000002000\n')
  t.is((await run([retain], ['--caps-remove=CAP_CHOWN', ...status('CapBnd')])).stdout, 'CapBnd:\t00000000a80425fa\n')
  t.regex((await run([retain, ['capabilities-remove-set', { set: ['CAP_CHOWN'] }]], [])).stderr, /cannot have both os\/linux\/capabilities-retain-set and os\/linux\/capabilities-remove-set/)
  const blacklist = { set: ['@rkt/default-blacklist'] }
  t.is((await run([['seccomp-remove-set', blacklist]], ['--exec=/bin/umount', '--', '/proc'])).code, 159)
  t.regex((await run([['seccomp-remove-set', { ...blacklist, errno: 'ENOTSUP' }]], ['--exec=/bin/umount', '--', '/proc'])).stderr, /[Nn]ot supported/)
  t.regex((await run([['seccomp-remove-set', blacklist], ['seccomp-retain-set', blacklist]], [])).stderr, /too many seccomp isolators specified/)
})

test('the first failure ends the others gently: what handles SIGTERM ends with its own status', async (t) => {
  using scene = await openScene(t)
  const { code } = await scene.rkt([
    ...['run', '--net=none', scene.image, '--name=gentle', ...shell('trap "exit 0" TERM; sleep 30 & wait'), '---'],
    ...[scene.image, '--name=five', ...shell('sleep 0.3; exit 5')],
  ])
  t.is(code, 5)
  const [uuid = ''] = scene.pods()
  t.regex((await scene.rkt(['status', uuid])).stdout, /^app-gentle=0\napp-five=5$/m)
})

test('gc without grace removes a pod that ended just now', async (t) => {
  using scene = await openScene(t)
  for (let round = 0; round < 3; round++) {
    await scene.run([])
    const { stdout, stderr } = await scene.rkt(['gc', '--grace-period=0s'])
    t.regex(stdout, /^Garbage collecting pod "[0-9a-f-]{36}"\n$/)
    t.regex(stderr, /^gc: moving pod "[0-9a-f-]{36}" to garbage\n$/)
    t.deepEqual(scene.pods(), [])
  }
})

test('a pod whose preparation failed is listed and told of without a manifest', async (t) => {
  using scene = await openScene(t)
  t.is((await scene.rkt(['prepare', scene.image, scene.image])).code, 254)
  const [uuid = ''] = scene.pods()
  t.is((await scene.rkt(['list', '--no-legend'])).stdout.replaceAll(/\t+/g, ' '), `${uuid.slice(0, 8)} - - aborted prepare \n`)
  t.regex((await scene.rkt(['status', uuid])).stdout, /^state=aborted prepare$/m)
  const { code, stderr } = await scene.rkt(['cat-manifest', uuid])
  t.is(code, 254)
  t.is(stderr, `cat-manifest: cannot read manifest of pod "${uuid}": ENOENT: no such file or directory\n`)
  t.is((await scene.rkt(['rm', uuid])).stderr, `rm: moving failed prepare "${uuid}" to garbage\n`)
})
