import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import test from 'ava'
import { openPodScene } from '../support/pod-scene.ts'
import { probe, rktProgram } from '../support/paths.ts'
import { placeFlags } from '../support/run.ts'

const scene = await openPodScene({ files: { 'bin/print-fds': { copy: probe('print-fds') }, 'bin/print-status': { copy: probe('print-status') } } })
test.after.always(() => scene[Symbol.dispose]())

/** What a program finds of its caller: numbers and flags of its descriptors, limits, dispositions of signals. */
const report = 'print-fds | cut -d" " -f1,2 | grep "^[012] "; cat /proc/self/limits; print-status SigPnd ShdPnd SigBlk SigIgn SigCgt'
const sinks: Readonly<Record<string, string>> = {
  'pipes': '%s </dev/null 2>&1 | cat',
  'files': '%s </dev/null >$DIR/out-$$ 2>&1; cat $DIR/out-$$',
  '/dev/null for input and errors': '%s </dev/null 2>/dev/null | cat',
}
const changes = {
  'as it is': ':',
  'with fewer descriptors and processes': 'ulimit -Sn 500; ulimit -Su 4000; ulimit -Sc 0',
  'that ignores SIGHUP and SIGPIPE': 'trap "" HUP PIPE USR1',
}

for (const [sink, form] of Object.entries(sinks)) {
  for (const [change, words] of Object.entries(changes)) {
    test(`an app finds what a plain exec would: caller ${change}, ${sink}`, async (t) => {
      const bin = `PATH=${probe('')}:$PATH`
      const plain = await scene.bash(`${words}; ${form.replace('%s', () => `${bin} /bin/busybox sh -c '${report}'`)}`)
      const inPod = await scene.bash(`${words}; ${form.replace('%s', () => `$RKT run --rm --net=none $IMAGE --exec=/bin/sh -- -c '${report}'`)}`)
      t.is(inPod.stdout.replace(/^run: warning.*\n/, ''), plain.stdout)
    })
  }
}

test('no descriptor of the caller reaches the app, whatever its number', async (t) => {
  const { stdout } = await scene.bash('exec 7</etc 8<>$DIR/victim 200</etc/shadow; $RKT run --rm --net=none $IMAGE --exec=/bin/print-fds')
  t.deepEqual(stdout.trimEnd().split('\n').map((line) => line.split(' ')[0]), ['0', '1', '2'])
})

test('the caller\'s pipes are left as blocking as they were', async (t) => {
  const { stdout } = await scene.bash(`(echo x | (${probe('print-fds')} >$DIR/flags-before; $RKT run --rm --net=none $IMAGE --exec=/bin/true; ${probe('print-fds')} >$DIR/flags-after)) 2>&1 | cat`)
  t.notRegex(stdout, /rror/)
  const flags = (file: string): string[] => readFileSync(scene.place.in(file), 'utf8').trimEnd().split('\n').map((line) => line.split(' ').slice(0, 3).join(' '))
  t.deepEqual(flags('flags-after'), flags('flags-before'))
})

test('output over sockets arrives, and the app still has pipes that it can open again', async (t) => {
  const words = [...placeFlags(scene.dir), '--insecure-options=image', 'run', '--rm', '--net=none', scene.image, '--exec=/bin/sh', '--', '-c', 'echo one >/dev/stdout; print-fds']
  const child = spawn(rktProgram, words, { stdio: ['pipe', 'pipe', 'pipe'] })
  let stdout = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  t.is(await new Promise((resolve) => child.on('close', resolve)), 0)
  t.regex(stdout, /^one\n0 0 \d+ [a-z/]*\/null\n1 0 1 pipe:\[\d+\]\n2 0 1 pipe:\[\d+\]\n$/)
})

test('the umask of an app is 022, whatever the caller\'s', async (t) => {
  t.is((await scene.bash('umask 077; $RKT run --rm --net=none $IMAGE --exec=/bin/sh -- -c "umask; stat -c %a /etc/hostname /dev/null /"')).stdout, '0022\n644\n666\n755\n')
})

test('a caller with blocked signals can still be stopped', async (t) => {
  const line = `$RKT run --rm --net=none --uuid-file-save=$DIR/hup $IMAGE --exec=/bin/sleep -- 1000 & while [ ! -s $DIR/hup ]; do sleep 0.05; done; $RKT status --wait-ready $(cat $DIR/hup) >/dev/null; kill -HUP $!; wait $!; echo $?`
  t.is((await scene.bash(line)).stdout, '143\n')
  const ignoring = line.replace('$RKT run', '(trap "" HUP; exec $RKT run').replace('1000 &', '1000) &').replaceAll('DIR/hup', 'DIR/ign').replace('kill -HUP $!', 'kill -HUP $!; sleep 0.3; kill -TERM $!')
  t.is((await scene.bash(ignoring)).stdout, '143\n')
})
