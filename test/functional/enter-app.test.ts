import test from 'ava'
import { openPodScene, type RunningPod, shellWords, until } from '../support/pod-scene.ts'
import { probe } from '../support/paths.ts'

const scene = await openPodScene({
  manifest: { app: { workingDirectory: '/opt', environment: [{ name: 'OWN', value: 'image' }] } },
  files: { 'opt/x': '', 'bin/print-status': { copy: probe('print-status') }, 'bin/print-fds': { copy: probe('print-fds') } },
})
const pods: RunningPod[] = []
const pod = await scene.start(['--rm', scene.image, '--exec=/bin/sleep', '--', '1000'])
pods.push(pod)
test.after.always(async () => {
  await Promise.all(pods.map(({ uuid }) => scene.rkt(['stop', '--force', uuid])))
  await Promise.all(pods.map(({ end }) => end))
  scene[Symbol.dispose]()
})

const enter = (line: string): ReturnType<typeof scene.rkt> => scene.rkt(['enter', pod.uuid, '/bin/sh', '-c', line])

test('enter gives the status of the command, also when a signal ended it', async (t) => {
  t.is((await enter('exit 9')).code, 9)
  t.is((await enter('kill -9 $$')).code, 137)
  t.is((await enter('true')).code, 0)
})

test('enter keeps output apart and passes a pipe in', async (t) => {
  const both = await enter('echo out; echo err >&2')
  t.is(both.stdout, 'out\n')
  t.is(both.stderr, 'err\n')
  t.is((await scene.bash(`echo through | $RKT enter ${pod.uuid} cat`)).stdout, 'through\n')
  t.is((await scene.bash(`$RKT enter ${pod.uuid} seq 100000 | tail -n 1`)).stdout, '100000\n')
  t.is((await scene.bash(`$RKT enter ${pod.uuid} seq 100000 | head -n 1`)).stdout, '1\n')
})

test('enter gives the environment of the app and TERM, nothing else of the caller', async (t) => {
  const { stdout } = await scene.rkt(['enter', pod.uuid, '/bin/busybox', 'env'], { env: { TERM: 'vt220', LEAK: '1' } })
  t.regex(stdout, /^OWN=image$/m)
  t.regex(stdout, /^AC_APP_NAME=busybox$/m)
  t.regex(stdout, /^TERM=vt220$/m)
  t.notRegex(stdout, /LEAK/)
  t.regex((await scene.rkt(['enter', pod.uuid, '/bin/busybox', 'env'])).stdout, /^TERM=vt100$/m)
})

test('C3: who enters is confined as the app is', async (t) => {
  const report = [
    'print-status CapInh CapPrm CapEff CapBnd CapAmb NoNewPrivs Seccomp Seccomp_filters Uid Gid Groups',
    'for n in cgroup ipc mnt net pid user uts; do readlink /proc/self/ns/$n; done',
    'cat /proc/self/cgroup /proc/self/limits /proc/self/oom_score_adj /proc/self/uid_map',
    'stat -c %d:%i /; grep " / / " /proc/self/mountinfo | cut -d" " -f1; print-fds | cut -d" " -f1,2; umask',
  ].join('; ')
  const app = await scene.start(['--rm', scene.image, ...shellWords(`${report}; echo end; sleep 1000`)])
  pods.push(app)
  await until('the report', () => app.stdout().includes('end\n'))
  const entered = await scene.rkt(['enter', app.uuid, '/bin/sh', '-c', report])
  t.is(`${entered.stdout}end\n`, app.stdout())
})

test('the program of an entering caller counts in the app\'s control group', async (t) => {
  const tasks = Number((await enter('cat /sys/fs/cgroup/pids/pids.current /sys/fs/cgroup/pids.current 2>/dev/null')).stdout)
  t.true(tasks >= 2, 'the app and cat')
})

test('a program that is missing is named, with status 254', async (t) => {
  const { code, stderr } = await scene.rkt(['enter', pod.uuid, 'missing'])
  t.is(code, 254)
  t.is(stderr, 'enter: cannot execute "missing": No such file or directory\n')
})

test('without a command /bin/bash is assumed, and said', async (t) => {
  const { stderr } = await scene.rkt(['enter', pod.uuid])
  t.is(stderr, 'enter: no command specified, assuming "/bin/bash"\nenter: cannot execute "/bin/bash": No such file or directory\n')
})

test('with several apps one must be named', async (t) => {
  const app = (name: string): readonly string[] => [scene.image, `--name=${name}`, '--exec=/bin/sleep', '--', '1000']
  const two = await scene.start(['--rm', ...app('a'), '---', ...app('b')])
  pods.push(two)
  const unnamed = await scene.rkt(['enter', two.uuid, 'true'])
  t.is(unnamed.code, 254)
  t.regex(unnamed.stderr, /pod contains multiple apps:\n\ta\n\tb\nspecify app using "rkt enter --app= \.\.\."\n/)
  t.is((await scene.rkt(['enter', '--app=b', two.uuid, '/bin/sh', '-c', 'echo $AC_APP_NAME'])).stdout, 'b\n')
  const other = await scene.rkt(['enter', '--app=c', two.uuid, 'true'])
  t.is(other.code, 254)
  t.regex(other.stderr, /no app "c"/)
})

test('signals to enter reach its program, and the program does not outlive its caller', async (t) => {
  const line = `$RKT enter ${pod.uuid} /bin/sh -c 'trap "echo got; exit 3" TERM; echo up; while :; do sleep 0.1; done' >$DIR/signals & until grep -q up $DIR/signals; do sleep 0.05; done; kill -TERM $!; wait $!; echo $?; cat $DIR/signals`
  t.is((await scene.bash(line)).stdout, '3\nup\ngot\n')
  const killed = `$RKT enter ${pod.uuid} sleep 777 & sleep 1; kill -KILL $!; wait $! 2>/dev/null; sleep 0.3; $RKT enter ${pod.uuid} ps | grep -c '[s]leep 777'`
  t.is((await scene.bash(killed)).stdout, '0\n')
})

test('a pod that ends while somebody is inside takes the program with it', async (t) => {
  const ending = await scene.start([scene.image, '--exec=/bin/sleep', '--', '1000'])
  const inside = scene.rkt(['enter', ending.uuid, 'sleep', '500'])
  await new Promise((resolve) => setTimeout(resolve, 700))
  t.is((await scene.rkt(['stop', ending.uuid])).code, 0)
  t.is((await ending.end).code, 143)
  t.is((await inside).code, 137)
  const late = await scene.rkt(['enter', ending.uuid, 'true'])
  t.is(late.code, 254)
  t.regex(late.stderr, new RegExp(`pod "${ending.uuid}" isn't currently running`))
})
