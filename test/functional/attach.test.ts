import { spawn } from 'node:child_process'
import { closeSync, existsSync, openSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import test from 'ava'
import { rktProgram } from '../support/paths.ts'
import { openPodScene, shellWords, until } from '../support/pod-scene.ts'
import { placeFlags } from '../support/run.ts'

const scene = await openPodScene()
test.after.always(() => scene[Symbol.dispose]())

const echo = 'while read line; do echo "got $line"; echo "err $line" >&2; [ "$line" = end ] && exit 7; done; exit 9'

test('attach connects input and output with streams, and gives the status of an app that ends', async (t) => {
  const pod = await scene.start([scene.image, '--stdin=stream', '--stdout=stream', '--stderr=stream', ...shellWords(echo)])
  t.is((await scene.rkt(['attach', '--mode=list', pod.uuid])).stdout, 'stdin\nstdout\nstderr\n')
  const { stdout, stderr, code } = await scene.bash(`(sleep 0.5; echo one; echo end; sleep 1) | timeout 20 $RKT attach ${pod.uuid}`)
  t.is(stdout, 'got one\ngot end\n')
  t.is(stderr.replace(/^.*warning.*\n/gm, ''), 'err one\nerr end\n')
  t.is(code, 7)
  const { code: podCode, stdout: own } = await pod.end
  t.is(podCode, 7)
  t.is(own, '')
  const logs = await scene.rkt(['logs', pod.uuid])
  t.is(logs.stdout, 'got one\ngot end\n')
})

test('several clients see the same output; one that goes leaves the app and the others alone', async (t) => {
  const line = 'i=0; while [ $i -lt 30 ]; do echo $i; i=$((i+1)); sleep 0.1; done'
  const pod = await scene.start([scene.image, '--stdout=stream', ...shellWords(line)])
  const long = scene.bash(`$RKT attach ${pod.uuid} | tail -n 1`)
  const short = await scene.bash(`timeout -s INT 1 $RKT attach --mode=stdout ${pod.uuid}; true`)
  t.true(short.stdout.split('\n').length > 3, short.stdout)
  t.is((await long).stdout, '29\n')
  t.is((await pod.end).code, 0)
})

test('a client that reads nothing neither stops the app nor hides that it has missed something', async (t) => {
  // 8 MiB: far more than pipes hold.
  const line = 'sleep 1; head -c 8388608 /dev/zero | tr "\\0" x; echo; touch /done; sleep 1; i=0; while [ $i -lt 40 ]; do echo more; i=$((i+1)); sleep 0.1; done'
  const pod = await scene.start([scene.image, '--stdout=stream', '--log-size=1Mi', '--log-files=2', ...shellWords(line)])
  const slow = scene.bash(`$RKT attach ${pod.uuid} 2>$DIR/slow-errors | (sleep 5; cat) | wc -c`)
  const done = await scene.rkt(['status', '--wait', pod.uuid], { timeoutMs: 30_000 })
  t.is(done.code, 0)
  t.is((await pod.end).code, 0)
  const { stdout } = await slow
  t.true(Number(stdout) < 4 * 1024 * 1024, stdout)
  t.regex(readFileSync(scene.place.in('slow-errors'), 'utf8'), /bytes of stdout were dropped/)
})

test('attach says what it cannot do', async (t) => {
  const pod = await scene.start([scene.image, '--stdout=stream', ...shellWords('sleep 20')])
  const cases = [
    [['--mode=tty'], 'it offers stdout'],
    [['--mode=tty-in,stdout'], 'tty and stream modes cannot be mixed'],
    [['--mode=else'], 'invalid attach mode "else"'],
    [['--app=none'], 'has no app "none"'],
  ] as const
  for (const [words, message] of cases) {
    const { code, stderr } = await scene.rkt(['attach', ...words, pod.uuid])
    t.is(code, 254)
    t.true(stderr.includes(message), stderr)
  }
  t.is((await scene.rkt(['attach', '--mode=auto', 'ffffffff'])).code, 254)
  t.true((await scene.rkt(['run', scene.image, '--stdin=log'])).stderr.includes('invalid stdin mode "log"'))
  t.is((await scene.rkt(['stop', '--force', pod.uuid])).code, 0)
  await pod.end
})

/** Steps of expect(1) against `rkt attach` on a terminal of 33 rows and 101 columns. */
async function attached(uuid: string, steps: readonly string[]): Promise<string> {
  const path = scene.place.in(`attach-${uuid}-${Math.random()}.exp`)
  const missing = 'expect_after timeout { puts "\\nMISSING"; exit 1 } eof { puts "\\nENDED"; exit 1 }'
  const head = ['set timeout 20', 'set stty_init "rows 33 columns 101"', `spawn -noecho sh -c {$RKT attach ${uuid}; echo status $?}`, missing]
  writeFileSync(path, [...head, ...steps, ''].join('\n'))
  const { code, stdout, stderr } = await scene.bash(`export RKT IMAGE DIR; exec expect ${path}`)
  if (code !== 0) throw new Error(`${stdout}${stderr}`)
  return stdout
}

test('attach takes the terminal of an app, follows its size, detaches by keys, and comes back', async (t) => {
  const pod = await scene.start([scene.image, '--stdin=tty', '--stdout=tty', '--stderr=tty', '--exec=/bin/sh'])
  t.is((await scene.rkt(['attach', '--mode=list', pod.uuid])).stdout, 'tty-in\ntty-out\n')
  await attached(pod.uuid, [
    'after 700; send "tty; stty size\\r"; expect "/dev/pts/0"; expect "33 101"; expect "# "',
    'exec stty rows 40 columns 80 < $spawn_out(slave,name)',
    'after 300; send "stty size\\r"; expect "40 80"; expect "# "',
    'send "kept=yes\\r"; expect "# "; send "\\020\\021"; expect "detached"; expect "status 0"',
  ])
  await attached(pod.uuid, ['after 700; send {echo is-$kept}; send "\\r"; expect "is-yes"; expect "# "; send "sleep 100\\r"; after 300; send "\\003"; expect "# "; send "exit 5\\r"; expect "status 5"'])
  t.is((await pod.end).code, 5)
})

test('output of an app that closes its terminal and opens it again is kept', async (t) => {
  const line = 'echo before; exec 0<&- 1>&- 2>&-; sleep 0.5; exec 1>/dev/pts/0; echo after'
  const pod = await scene.start([scene.image, '--stdin=tty', '--stdout=tty', '--stderr=tty', ...shellWords(line)])
  t.is((await pod.end).code, 0)
  t.is((await scene.rkt(['logs', pod.uuid])).stdout.replaceAll('\r', ''), 'before\nafter\n')
})

test('a client that is killed leaves the app running', async (t) => {
  const pod = await scene.start([scene.image, '--stdin=stream', '--stdout=stream', ...shellWords(echo)])
  const out = scene.place.in('killed-out')
  const fd = openSync(out, 'w')
  const child = spawn(rktProgram, [...placeFlags(scene.dir), 'attach', '--mode=stdin,stdout', pod.uuid], { stdio: ['pipe', fd, 'ignore'] })
  closeSync(fd)
  child.stdin?.write('one\n')
  await until('the first answer', () => existsSync(out) && statSync(out).size > 0)
  child.kill('SIGKILL')
  await sleep(200)
  const { stdout, code } = await scene.bash(`(sleep 0.3; echo end; sleep 0.5) | timeout 20 $RKT attach --mode=stdin,stdout ${pod.uuid}`)
  t.is(stdout, 'got end\n')
  t.is(code, 7)
  await pod.end
})
