import { spawnSync } from 'node:child_process'
import test from 'ava'
import { openScene } from '../functional/cli-scene.ts'
import { rktProgram } from '../support/paths.ts'
import { placeFlags } from '../support/run.ts'

/** A shell with job control starts the command in its background; prints whether its terminal still translates output. */
const background = `
import os, pty, select, shlex, sys, termios, time
pid, master = pty.fork()
if pid == 0:
    os.execvp('bash', ['bash', '--norc', '-i'])
def read(text, limit):
    seen, end = b'', time.time() + limit
    while time.time() < end and text not in seen:
        if select.select([master], [], [], 0.1)[0]:
            seen += os.read(master, 4096)
    return seen
read(b'# ', 5)
os.write(master, (shlex.join(sys.argv[1:]) + ' &\\n').encode())
assert b'is-up' in read(b'is-up', 20)
terminal = os.open(os.readlink(f'/proc/{pid}/fd/0'), os.O_RDWR | os.O_NOCTTY)
print('cooked' if termios.tcgetattr(terminal)[1] & termios.OPOST else 'raw')
`

test('F a pod in the background leaves the terminal of the foreground as it is', async (t) => {
  using scene = await openScene(t)
  const line = 'x=up; echo is-$x; sleep 2'
  const words = [rktProgram, ...placeFlags(scene.place.in('data')), '--insecure-options=image', 'run', '--net=none', '--interactive', scene.image]
  const { stdout, stderr } = spawnSync('python3', ['-c', background, ...words, '--exec=/bin/sh', '--', '-c', line], { encoding: 'utf8' })
  t.is(stdout, 'cooked\n', stderr)
})
