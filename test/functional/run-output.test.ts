import { createHash } from 'node:crypto'
import test from 'ava'
import { openPodScene, shellWords } from '../support/pod-scene.ts'

const scene = await openPodScene()
test.after.always(() => scene[Symbol.dispose]())

/** Without what the command itself says. */
const ofApps = (stderr: string): string => stderr.replace(/^run: warning: .*\n/m, '')

test('standard output and standard error of one app arrive apart and unchanged', async (t) => {
  const { stdout, stderr } = await scene.shell('printf "no newline"; printf "\\033[1m\\r\\n" >&2')
  t.is(stdout, 'no newline')
  t.is(ofApps(stderr), '\x1b[1m\r\n')
})

test('the lines of several apps say whose they are, each on its own stream', async (t) => {
  const app = (name: string, line: string): readonly string[] => [scene.image, `--name=${name}`, ...shellWords(line)]
  const apps = [...app('a', 'echo one; echo two >&2'), '---', ...app('b', 'sleep 0.3; echo three')]
  const { stdout, stderr } = await scene.rkt(['run', '--rm', '--net=none', ...apps])
  t.regex(stdout, /^\[ *\d+\.\d{6}\] a\[\d+\]: one\n\[ *\d+\.\d{6}\] b\[\d+\]: three\n$/)
  t.regex(ofApps(stderr), /^\[ *\d+\.\d{6}\] a\[\d+\]: two\n$/)
})

test('100 MB go through a pipe intact', async (t) => {
  const { stdout } = await scene.bash('$RKT run --rm --net=none $IMAGE --exec=/bin/head -- -c 100000000 /dev/zero | sha256sum')
  t.is(stdout, `${createHash('sha256').update(new Uint8Array(100_000_000)).digest('hex')}  -\n`)
})

test('a slow reader gets everything, and the app waits for it', async (t) => {
  const { stdout } = await scene.bash('$RKT run --rm --net=none $IMAGE --exec=/bin/seq -- 100000 | (sleep 1; sha256sum); seq 100000 | sha256sum')
  const [first, second] = stdout.trimEnd().split('\n')
  t.is(first, second)
})

test('a reader that goes away neither stops nor fails the app', async (t) => {
  const { stdout, stderr } = await scene.bash(
    `$RKT run --rm --net=none $IMAGE --exec=/bin/sh -- -c 'seq 100000; echo the end >&2; exit 4' | head -n 1; echo status \${PIPESTATUS[0]}`,
  )
  t.is(stdout, '1\nstatus 4\n')
  t.is(ofApps(stderr), 'the end\n')
})

test('closed standard descriptors of the caller are no obstacle', async (t) => {
  const { stdout } = await scene.bash(`$RKT run --rm --net=none $IMAGE --exec=/bin/sh -- -c 'echo out; exit 5' <&- >&- 2>&-; echo $?`)
  t.is(stdout, '5\n')
})

test('logs gives back what the apps wrote, long lines and missing newlines too', async (t) => {
  const file = scene.place.in('logs')
  const line = 'head -c 10000 /dev/zero | tr "\\0" x; echo; echo err >&2; printf last'
  const ran = await scene.rkt(['run', '--net=none', `--uuid-file-save=${file}`, scene.image, ...shellWords(line)])
  t.is(ran.stdout, `${'x'.repeat(10_000)}\nlast`)
  const logs = await scene.bash(`$RKT logs $(cat ${file})`)
  t.is(logs.stdout.trimEnd(), ran.stdout)
  t.is(logs.stderr, 'err\n')
})

test('--interactive passes a pipe on: input, its end, and the output', async (t) => {
  const { stdout } = await scene.bash('(echo one; sleep 0.2; echo two) | $RKT run --rm --net=none --interactive $IMAGE --exec=/bin/cat; echo $?')
  t.is(stdout, 'one\ntwo\n0\n')
})

test('--interactive passes 20 MB in and out intact', async (t) => {
  const { stdout } = await scene.bash('head -c 20000000 /dev/urandom | tee >(sha256sum >$DIR/in) | $RKT run --rm --net=none --interactive $IMAGE --exec=/bin/cat | sha256sum; sleep 0.1; cat $DIR/in')
  const [first, second] = stdout.trimEnd().split('\n')
  t.is(first, second)
})

test('an app that closes its input ends the caller\'s writing', async (t) => {
  const { stdout } = await scene.bash(`yes | $RKT run --rm --net=none --interactive $IMAGE --exec=/bin/sh -- -c 'read line; echo $line; exec <&-; sleep 1'; echo \${PIPESTATUS[*]}`)
  t.regex(stdout, /^y\n(141|1) 0\n$/)
})

test('without --interactive the app reads nothing', async (t) => {
  t.is((await scene.shell('cat; echo end', { input: 'secret\n' })).stdout, 'end\n')
})

test('an app of another user opens /dev/stdout and /dev/stderr again', async (t) => {
  const line = 'id -u; echo out >/dev/stdout; echo err >/dev/stderr; echo fd >/proc/self/fd/1'
  const { code, stdout, stderr } = await scene.shell(line, { app: ['--user=1000', '--group=1000'] })
  t.is(code, 0, stderr)
  t.is(stdout, '1000\nout\nfd\n')
  t.is(ofApps(stderr), 'err\n')
})
