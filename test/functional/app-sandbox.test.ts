import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { openPodScene, shellWords, until } from '../support/pod-scene.ts'
import { openSandbox } from '../support/sandbox.ts'

const scene = await openPodScene()
test.after.always(() => scene[Symbol.dispose]())

test('apps come and go in a running pod, and their ends do not end it', async (t) => {
  await using pod = await openSandbox(scene, ['--annotation=example.com/x=1', '--user-label=a=b'])
  t.is((await pod.app('list')).stdout, 'NAME\tSTATE\n')
  t.is((await pod.app('list', '--no-legend')).stdout, '\n')
  t.is((await pod.app('add', scene.image, '--name=web', '--user-label=tier=front', ...shellWords('echo started; sleep 100'))).code, 0)
  t.is((await pod.app('list')).stdout, 'NAME\tSTATE\nweb\tcreated\n')
  t.is((await pod.app('start', '--app=web')).code, 0)
  t.is((await pod.app('list', '--no-legend')).stdout, 'web\trunning\n')

  const again = await pod.app('start', '--app=web')
  t.is(again.code, 254)
  t.true(again.stderr.includes('it runs'), again.stderr)
  const early = await pod.app('rm', '--app=web')
  t.is(early.code, 254)
  t.true(early.stderr.includes('it runs'), early.stderr)
  t.is((await pod.app('exec', '--app=web', '/bin/echo', 'inside')).code, 254)
  t.is((await scene.rkt(['app', 'exec', '--app=web', pod.uuid, '/bin/echo', 'inside'])).stdout, 'inside\n')

  t.is((await pod.app('stop', '--app=web')).code, 0)
  t.is((await pod.app('stop', '--app=web')).code, 0)
  const { stdout } = await pod.app('status', '--app=web')
  t.regex(stdout, /^name=web\nstate=exited\nimage_id=sha512-[0-9a-f]+\ncreated_at=.*\nstarted_at=.*\nfinished_at=.*\nexit_code=143\nuser_labels=tier:front\n$/)
  const json: unknown = JSON.parse((await pod.app('status', '--app=web', '--format=json')).stdout)
  t.like(json, { name: 'web', state: 'exited', exit_code: 143, user_labels: { tier: 'front' } })

  t.is((await pod.app('start', '--app=web')).code, 0)
  t.is((await pod.app('list', '--no-legend')).stdout, 'web\trunning\n')
  t.is((await scene.rkt(['logs', pod.uuid])).stdout, 'started\nstarted\n')
  t.is((await pod.app('stop', '--force', '--app=web')).code, 0)
  t.regex((await pod.app('status', '--app=web')).stdout, /exit_code=137/)
  t.is((await pod.app('rm', '--app=web')).code, 0)
  t.is((await pod.app('list', '--no-legend')).stdout, '\n')
  t.deepEqual([readdirSync(join(pod.dir, 'appsinfo')), readdirSync(join(pod.dir, 'logs'))], [[], []])

  // The name is free again.
  t.is((await pod.app('add', scene.image, '--name=web', ...shellWords('exit 3'))).code, 0)
  t.is((await pod.app('start', '--app=web')).code, 0)
  await until('the end of the app', () => existsSync(join(pod.dir, 'stage1/rootfs/rkt/status/web')))
  t.regex((await pod.app('status', '--app=web')).stdout, /exit_code=3/)
  t.is((await scene.rkt(['status', pod.uuid])).stdout.split('\n')[0], 'state=running')
  t.is(await pod.stop(), 0)
  t.regex((await scene.rkt(['status', pod.uuid])).stdout, /app-web=3/)
})

test('what cannot be done is said, with the status of the original', async (t) => {
  await using pod = await openSandbox(scene)
  t.is((await pod.app('status', '--app=none')).code, 1)
  t.is((await scene.rkt(['app', 'list', 'ffffffff'])).code, 1)
  t.is((await scene.rkt(['app', 'sandbox', '--net=none,x'])).code, 1)
  t.is((await scene.rkt(['app', 'sandbox', '--isolation=fly'])).code, 1)
  for (const verb of ['start', 'stop', 'rm']) t.is((await pod.app(verb, '--app=none')).code, 254, verb)
  t.is((await pod.app('add', 'example.com/unknown')).code, 254)
  t.is((await pod.app('add', scene.image, scene.image)).code, 254)
  t.is((await pod.app('add', scene.image, '--name=one')).code, 0)
  t.true((await pod.app('add', scene.image, '--name=one')).stderr.includes('has an app of this name'))
  t.is((await pod.app('add', scene.image, '--name=two', '--exec=/bin/missing')).code, 0)
  const failed = await pod.app('start', '--app=two')
  t.is(failed.code, 254)
  t.true(failed.stderr.includes('cannot execute "/bin/missing"'), failed.stderr)
  t.regex((await pod.app('status', '--app=two')).stdout, /state=exited[^]*exit_code=254/)
  t.is((await scene.rkt(['status', pod.uuid])).stdout.split('\n')[0], 'state=running')

  const fixed = await scene.start([scene.image, ...shellWords('sleep 30')])
  const refused = await scene.rkt(['app', 'add', fixed.uuid, scene.image])
  t.is(refused.code, 254)
  t.true(refused.stderr.includes('is immutable'), refused.stderr)
  await scene.rkt(['stop', '--force', fixed.uuid])
  await fixed.end
  t.is(await pod.stop(), 0)
})

test('a later app has the namespaces, volumes, limits and confinement of any other', async (t) => {
  const host = scene.place.in('volume')
  mkdirSync(host)
  writeFileSync(join(host, 'file'), 'from the host')
  await using pod = await openSandbox(scene)
  const report = 'cat /vol/file; echo; touch /vol/new 2>/dev/null || echo read-only; id -u; grep -E "^(CapBnd|Seccomp|NoNewPrivs)" /proc/self/status; cat /proc/self/uid_map | wc -l; ls /proc/self/fd | wc -l; hostname'
  const words = ['--name=one', `--mnt-volume=target=/vol,kind=host,source=${host},readOnly=true`, '--memory=64Mi', '--user=7', '--group=7', ...shellWords(report)]
  t.is((await pod.app('add', scene.image, ...words)).code, 0)
  t.is((await pod.app('start', '--app=one')).code, 0)
  await until('the end of the app', () => existsSync(join(pod.dir, 'stage1/rootfs/rkt/status/one')))
  const later = (await scene.rkt(['logs', pod.uuid])).stdout.split('\n')
  const first = await scene.shell(report, {
    flags: [`--volume=vol,kind=host,source=${host},readOnly=true`, `--hostname=rkt-${pod.uuid}`],
    app: ['--mount=volume=vol,target=/vol', '--memory=64Mi', '--user=7', '--group=7'],
  })
  t.deepEqual(later, first.stdout.split('\n'))
  t.is(later[0], 'from the host')
  t.is(await pod.stop(), 0)
})

test('the target of --mnt-volume stays inside the app', async (t) => {
  const victim = scene.place.in('victim')
  mkdirSync(victim)
  const volume = scene.place.in('mnt-volume')
  mkdirSync(volume)
  writeFileSync(join(volume, 'mark'), '')
  await using pod = await openSandbox(scene)
  t.is((await pod.app('add', scene.image, '--name=one', `--mnt-volume=target=/link/../../../up,kind=host,source=${volume}`, ...shellWords('find / -xdev -name mark; sleep 50'))).code, 0)
  const [tree = ''] = readdirSync(join(pod.dir, 'overlay'))
  symlinkSync(victim, join(pod.dir, 'overlay', tree, 'upper/one/link'))
  const before = readFileSync('/proc/self/mountinfo', 'utf8').split('\n').length
  const { code } = await pod.app('start', '--app=one')
  t.is(readFileSync('/proc/self/mountinfo', 'utf8').split('\n').length, before)
  t.deepEqual(readdirSync(victim), [])
  t.true(code === 0 || code === 254)
  t.is(await pod.stop(), 0)
})

test('what an app leaves behind is killed with it', async (t) => {
  await using pod = await openSandbox(scene)
  t.is((await pod.app('add', scene.image, '--name=one', ...shellWords('setsid sleep 1000 & exit 0'))).code, 0)
  t.is((await pod.app('add', scene.image, '--name=two', ...shellWords('sleep 1000'))).code, 0)
  t.is((await pod.app('start', '--app=two')).code, 0)
  t.is((await pod.app('start', '--app=one')).code, 0)
  await until('the end of the app', () => existsSync(join(pod.dir, 'stage1/rootfs/rkt/status/one')))
  const count = async (): Promise<number> => Number((await scene.rkt(['app', 'exec', '--app=two', pod.uuid, '/bin/sh', '-c', 'ps | grep -c "[s]leep 1000"'])).stdout)
  let left = 2
  for (let attempt = 0; attempt < 20 && left > 1; attempt += 1) left = await count()
  t.is(left, 1)
  t.is(await pod.stop(), 0)
})

test('F3 an addition that is cut short, and a sandbox that is killed, leave nothing that gc does not take', async (t) => {
  await using pod = await openSandbox(scene)
  for (const delay of [0.05, 0.1, 0.15, 0.2, 0.25]) {
    await scene.bash(`timeout -s KILL ${delay} $RKT app add ${pod.uuid} $IMAGE --name=cut --exec=/bin/true; true`)
    t.regex((await pod.app('list', '--no-legend')).stdout, /^(cut\tcreated)?\n$/)
    if ((await pod.app('list', '--no-legend')).stdout !== '\n') t.is((await pod.app('rm', '--app=cut')).code, 0)
  }
  t.is((await pod.app('add', scene.image, '--name=cut', ...shellWords('sleep 1000'))).code, 0)
  t.is((await pod.app('start', '--app=cut')).code, 0)
  process.kill(pod.pid, 'SIGKILL')
  t.is((await scene.rkt(['status', '--wait=10s', pod.uuid])).stdout.split('\n')[0], 'state=exited')
  t.is((await scene.rkt(['app', 'list', pod.uuid, '--no-legend'])).stdout, 'cut\texited\n')
  t.is((await scene.rkt(['gc', '--grace-period=0s'])).code, 0)
  t.deepEqual(scene.leftovers([pod.uuid]).filter((path) => path.includes(pod.uuid)), [])
  t.false(existsSync(pod.dir))
})

test('eight additions at once all arrive', async (t) => {
  await using pod = await openSandbox(scene)
  const names = Array.from({ length: 8 }, (_, index) => `app-${index}`)
  const added = await Promise.all(names.map((name) => pod.app('add', scene.image, `--name=${name}`, ...shellWords('sleep 100'))))
  t.deepEqual(added.map(({ code }) => code), names.map(() => 0))
  const started = await Promise.all(names.map((name) => pod.app('start', `--app=${name}`)))
  t.deepEqual(started.map(({ code }) => code), names.map(() => 0))
  t.deepEqual((await pod.app('list', '--no-legend')).stdout.trimEnd().split('\n').sort(), names.map((name) => `${name}\trunning`))
  t.is(lstatSync(join(pod.dir, 'pod.lck')).mode & 0o777, 0o600)
  t.is(await pod.stop(), 0)
})
