import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import test from 'ava'
import { makeAci } from '../support/aci.ts'
import { rkt } from '../support/run.ts'
import { temporaryDirectory } from '../support/temp.ts'
import { openScene, shell } from './cli-scene.ts'

test('run gives the output and the exit status of its app', async (t) => {
  using scene = await openScene(t)
  const { code, stdout } = await scene.run(['--exec=/bin/sh', '--', '-c', 'echo out; exit 7'])
  t.is(code, 7)
  t.is(stdout, 'out\n')
  t.is(scene.pods().length, 1)
})

test('run warns when it takes an image without a signature', async (t) => {
  using scene = await openScene(t)
  t.regex((await scene.rkt(['run', '--rm', '--net=none', makeAci()])).stderr, /^image: warning: image signature verification has been disabled$/m)
})

test('run --rm leaves nothing', async (t) => {
  using scene = await openScene(t)
  t.is((await scene.rkt(['run', '--rm', '--net=none', scene.image, ...shell('true')])).code, 0)
  t.deepEqual(scene.pods(), [])
})

test('the first app that fails decides', async (t) => {
  using scene = await openScene(t)
  const { code } = await scene.rkt([
    ...['run', '--net=none'],
    ...[scene.image, '--name=zero', ...shell('sleep 30'), '---'],
    ...[scene.image, '--name=five', ...shell('exit 5'), '---'],
    ...[scene.image, '--name=six', ...shell('sleep 30; exit 6')],
  ])
  t.is(code, 5)
})

test('two apps of one name are refused and leave nothing', async (t) => {
  using scene = await openScene(t)
  const { code, stderr } = await scene.run([scene.image])
  t.is(code, 254)
  t.regex(stderr, /^run: error: multiple apps with name busybox$/m)
  t.deepEqual(scene.pods(), [])
})

test('prepare with two apps of one name leaves an aborted prepare, as the original did', async (t) => {
  using scene = await openScene(t)
  t.is((await scene.rkt(['prepare', scene.image, scene.image])).code, 254)
  t.regex((await scene.rkt(['list', '--no-legend'])).stdout, /\taborted prepare\t/)
})

test('environment: --set-env over file over image, the caller under all', async (t) => {
  using scene = await openScene(t, { manifest: { app: { environment: [{ name: 'A', value: 'image' }, { name: 'B', value: 'image' }] } } })
  writeFileSync(scene.place.in('env'), '# comment\n\nB=file\nC=file\nD=file\n')
  const line = ['--exec=/bin/sh', '--environment=F=app', '--', '-c', 'echo $A $B $C $D $E $F']
  const flags = ['--inherit-env', `--set-env-file=${scene.place.in('env')}`, '--set-env=D=flag']
  const { stdout, stderr } = await scene.rkt([...flags, 'run', '--net=none', scene.image, ...line], { env: { A: 'caller', E: 'caller' } })
  t.is(stdout, 'image file file flag caller app\n', stderr)
})

test('environment: mistakes are refused', async (t) => {
  using scene = await openScene(t)
  writeFileSync(scene.place.in('env'), 'nonsense\n')
  t.regex((await scene.rkt(['run', `--set-env-file=${scene.place.in('env')}`, scene.image])).stderr, /environment variable must be specified as name=value \(file /)
  t.regex((await scene.rkt(['run', '--set-env=x', scene.image])).stderr, /must be specified as key=value/)
  t.regex((await scene.rkt(['run', '--set-env=K=1', '--set-env=K=2', scene.image])).stderr, /key "K" already set/)
})

test('per-app flags change the app', async (t) => {
  using scene = await openScene(t)
  const { stdout } = await scene.run(['--user=1000', '--group=2000', '--working-dir=/tmp', '--exec=/bin/sh', '--', '-c', 'echo $(id -u) $(id -g) $(pwd)'])
  t.is(stdout, '1000 2000 /tmp\n')
  const readOnly = await scene.run(['--readonly-rootfs', ...shell('touch /x 2>/dev/null || echo refused')])
  t.is(readOnly.stdout, 'refused\n')
})

test('a host volume is mounted where --mount says', async (t) => {
  using scene = await openScene(t)
  mkdirSync(scene.place.in('volume'))
  writeFileSync(scene.place.in('volume', 'file'), 'content')
  const volume = `--volume=v,kind=host,source=${scene.place.in('volume')},readOnly=true`
  const { stdout, code } = await scene.rkt(['run', '--net=none', volume, scene.image, '--mount=volume=v,target=/deep/in', ...shell('cat /deep/in/file')])
  t.is(code, 0)
  t.is(stdout, 'content')
})

test('volumes: mistakes are refused and leave nothing', async (t) => {
  using scene = await openScene(t)
  const missing = await scene.rkt(['run', '--net=none', '--volume=v,kind=host,source=/nonexistent', scene.image, '--mount=volume=v,target=/x'])
  t.is(missing.code, 1)
  t.regex(missing.stderr, /^run: Failed to stat \/nonexistent: No such file or directory$/m)
  const twice = await scene.rkt(['run', '--volume=v,kind=empty', '--volume=v,kind=empty', scene.image])
  t.is(twice.code, 254)
  t.regex(twice.stderr, /duplicate volume name "v"/)
  const dangling = await scene.rkt(['run', scene.image, '--mount=volume=v,target=/x'])
  t.regex(dangling.stderr, /dangling mount point "\/x": volume "v" not found/)
  t.deepEqual(scene.pods(), [])
})

test('--uuid-file-save holds the bare UUID', async (t) => {
  using scene = await openScene(t)
  const path = scene.place.in('uuid')
  t.is((await scene.rkt(['run', '--net=none', `--uuid-file-save=${path}`, scene.image])).code, 0)
  t.deepEqual([readFileSync(path, 'utf8')], scene.pods())
  t.is(statSync(path).mode & 0o777, 0o644)
  t.regex((await scene.rkt(['status', `--uuid-file=${path}`])).stdout, /^state=exited\n/)
})

test('--dry-run prints the plan and starts nothing', async (t) => {
  using scene = await openScene(t)
  const { code, stdout } = await scene.rkt(['run', '--net=none', '--dry-run', scene.image, ...shell(`touch ${scene.place.in('ran')}`)])
  t.is(code, 0)
  t.truthy(JSON.parse(stdout))
  t.deepEqual(scene.pods(), [])
})

test('--pod-manifest takes everything from the file', async (t) => {
  using scene = await openScene(t)
  const manifest = {
    acVersion: '0.8.11',
    acKind: 'PodManifest',
    apps: [{ name: 'one', image: { id: scene.image }, app: { exec: ['/bin/sh', '-c', 'echo from manifest; exit 3'], user: '0', group: '0' } }],
  }
  const path = scene.place.in('manifest.json')
  writeFileSync(path, JSON.stringify(manifest))
  const { code, stdout } = await scene.rkt(['run', '--net=none', `--pod-manifest=${path}`])
  t.is(code, 3)
  t.is(stdout, 'from manifest\n')
  writeFileSync(path, JSON.stringify(manifest).replace(scene.image, scene.image.slice(0, 39)))
  const uuid = (await scene.rkt(['prepare', `--pod-manifest=${path}`])).stdout.trim()
  t.true((await scene.rkt(['cat-manifest', uuid])).stdout.includes(`"id": "${scene.image}"`), 'the beginning of an ID is made whole')
  for (const extra of [['--volume=v,kind=empty'], ['--mount=volume=v,target=/x'], ['--set-env=A=b'], ['--inherit-env'], ['--no-store'], [scene.image]]) {
    const refused = await scene.rkt(['run', '--net=none', `--pod-manifest=${path}`, ...extra])
    t.is(refused.code, 254)
    t.regex(refused.stderr, /^run: conflicting flags set with --pod-manifest \(see --help\)$/m)
  }
  writeFileSync(path, JSON.stringify({ ...manifest, apps: [] }))
  t.regex((await scene.rkt(['run', `--pod-manifest=${path}`])).stderr, /pod must contain at least one application/)
})

test('--interactive gives the app a terminal, and is for one app', async (t) => {
  using scene = await openScene(t)
  const { stdout, code } = await scene.rkt(['run', '--net=none', '--interactive', scene.image, ...shell('test -t 0 && test -t 1 && echo terminal; exit 4')], { tty: true })
  t.is(code, 4, stdout)
  t.regex(stdout, /terminal\r\n/)
  t.regex((await scene.rkt(['run', '--interactive', scene.image, scene.image])).stderr, /interactive option only supports one image/)
})

test('flags that contradict each other, or have no meaning, are refused', async (t) => {
  using scene = await openScene(t)
  const cases: [readonly string[], RegExp][] = [
    [['--store-only', '--no-store'], /both --store-only and --no-store specified/],
    [['--ipc=frob'], /unknown value for --ipc parameter: frob/],
    [['--net=a,a'], /found duplicate netname "a"/],
    [['--dns=nonsense'], /error with dns flags: Invalid IP passed to --dns: nonsense/],
    [['--hosts-entry=nonsense'], /Did not understand --hosts-entry nonsense/],
    [['--pull-policy=sometimes'], /expected never, new or update/],
    [['--stage1-name=x'], /cannot use image "x" as stage1: only the built-in ones can be used/],
  ]
  for (const [flags, expected] of cases) {
    const { code, stderr } = await scene.rkt(['run', ...flags, scene.image])
    t.is(code, 254, flags.join(' '))
    t.regex(stderr, expected)
  }
  t.regex((await scene.rkt(['run'])).stderr, /must provide at least one image or specify the pod manifest/)
  t.regex((await scene.run(['--caps-retain=CAP_KILL', '--caps-remove=CAP_KILL'])).stderr, /cannot use both --caps-retain and --caps-remove on the same image/)
  t.regex((await scene.run(['--memory=1m'])).stderr, /memory limit of \d+ bytes too low/)
  t.deepEqual(scene.pods(), [])
})

test('an unsigned image does not run, and leaves nothing', async (t) => {
  using place = temporaryDirectory()
  const { code, stderr } = await rkt(['run', '--net=none', makeAci()], { dir: place.in('data') })
  t.is(code, 254)
  t.regex(stderr, /^run: error opening signature file .*\nrun: hint: /)
  t.is((await rkt(['image', 'list', '--no-legend'], { dir: place.in('data') })).stdout, '\n')
  t.false(existsSync(place.in('data', 'pods', 'run')))
})
