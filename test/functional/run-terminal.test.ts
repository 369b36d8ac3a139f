import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import test from 'ava'
import { openPodScene } from '../support/pod-scene.ts'

const scene = await openPodScene()
test.after.always(() => scene[Symbol.dispose]())

/** Runs steps of expect(1) against a shell whose terminal has 33 rows and 101 columns; each text that does not come fails the run. */
async function inTerminal(name: string, steps: readonly string[]): Promise<string> {
  const path = scene.place.in(`${name}.exp`)
  const missing = 'expect_after timeout { puts "\\nMISSING"; exit 1 } eof { puts "\\nENDED"; exit 1 }'
  const head = ['set timeout 20', 'set stty_init "rows 33 columns 101"', 'spawn -noecho env PS1= /bin/busybox sh', missing, 'expect "built-in commands"', 'send "stty -echo; echo quiet\\r"; expect -ex "\\nquiet"']
  writeFileSync(path, [...head, ...steps, ''].join('\n'))
  const { code, stdout, stderr } = await scene.bash(`export RKT IMAGE DIR; exec expect ${path}`)
  if (code !== 0) throw new Error(`${stdout}${stderr}`)
  return stdout
}

const run = '$RKT run --rm --net=none --interactive $IMAGE --exec=/bin/sh'
const start = `send {${run}; echo status $?}; send "\\r"; expect "/ # "`

test('--interactive gives a terminal of the caller\'s size, which follows it', async (t) => {
  await inTerminal('size', [
    start,
    'send "tty; stty size\\r"; expect "/dev/pts/0"; expect "33 101"; expect "/ # "',
    'exec stty rows 40 columns 80 < $spawn_out(slave,name)',
    'send "sleep 0.2; stty size\\r"; expect "40 80"; expect "/ # "',
    'send "exit 9\\r"; expect "status 9"',
  ])
  t.pass()
})

test('Ctrl-C and Ctrl-Z go to the app, whose shell controls its jobs', async (t) => {
  await inTerminal('jobs', [
    start,
    'send "sleep 100\\r"; sleep 0.3; send "\\003"; expect "/ # "',
    'send "echo code \\$?\\r"; expect "code 130"; expect "/ # "',
    'send "sleep 200\\r"; sleep 0.3; send "\\032"; expect "Stopped"; expect "/ # "',
    'send "kill %1; fg\\r"; expect "Terminated"; expect "/ # "',
    'send "exit\\r"; expect "status "',
  ])
  t.pass()
})

test('the caller\'s terminal is as before afterwards, also when the pod is stopped', async (t) => {
  const settings = (file: string): string => `send "stty -a > $env(DIR)/${file}; echo saved-${file}\\r"; expect "saved-${file}\\r"`
  await inTerminal('restored', [
    settings('before'),
    start,
    'send "exit\\r"; expect "status 0"',
    settings('after'),
    `send {${run.replace('run ', 'run --uuid-file-save=$DIR/stopped ')}; echo status $?}; send "\\r"; expect "/ # "`,
    'exec sh -c {$RKT stop --force $(cat $DIR/stopped)}',
    'expect "status 137"',
    settings('stopped-after'),
  ])
  const read = (file: string): string => execFileSync('cat', [scene.place.in(file)], { encoding: 'utf8' })
  t.is(read('after'), read('before'))
  t.is(read('stopped-after'), read('before'))
})

test('/dev/console and /dev/tty are the terminal, which belongs to the app\'s user', async (t) => {
  await inTerminal('console', [
    `send {${run} --user=1000 --group=1000; echo status $?}; send "\\r"; expect "/ $ "`,
    'send "echo on-console >/dev/console; echo on-tty >/dev/tty; echo on-out >/dev/stdout\\r"',
    'expect -ex "\\non-console"; expect -ex "\\non-tty"; expect -ex "\\non-out"; expect "/ $ "',
    'send "stat -c %u:%t:%T /dev/console /dev/pts/0; ls /dev/pts\\r"; expect "1000:88:0"; expect "1000:88:0"; expect "0     ptmx"; expect "/ $ "',
    'send "exit\\r"; expect "status 0"',
  ])
  t.pass()
})

test('a pod without a terminal ends by Ctrl-C as by SIGTERM', async (t) => {
  await inTerminal('plain', [
    `send {${run.replace(' --interactive', '')} -- -c 'trap "echo asked; exit 3" TERM; echo up; while :; do sleep 0.1; done'; echo status $?}; send "\\r"`,
    'expect -ex "\\nup\\r"; send "\\003"; expect -ex "\\nasked"; expect "status 3"',
  ])
  t.pass()
})

test('enter gives a terminal of its own, with the caller\'s TERM', async (t) => {
  const pod = await scene.start([scene.image, '--exec=/bin/sleep', '--', '1000'])
  await inTerminal('enter', [
    `send {TERM=vt220 $RKT enter ${pod.uuid} /bin/sh; echo status $?}; send "\\r"; expect "/ # "`,
    'send "tty; stty size; echo term \\$TERM\\r"; expect "/dev/pts/0"; expect "33 101"; expect "term vt220"; expect "/ # "',
    'send "sleep 100\\r"; sleep 0.3; send "\\003"; expect "/ # "',
    'send "exit 6\\r"; expect "status 6"',
  ])
  await scene.rkt(['stop', '--force', pod.uuid])
  await pod.end
  t.pass()
})
