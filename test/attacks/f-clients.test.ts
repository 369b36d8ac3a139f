import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import test from 'ava'
import { openPodScene, podDirectories, shellWords } from '../support/pod-scene.ts'

const scene = await openPodScene()
test.after.always(() => scene[Symbol.dispose]())

/**
 * Speaks the control protocol up to the middle and goes away: nothing said, half a record, a request without its descriptors, one with a
 * plan that is none; and a flood of sizes.
 */
const clients = `
import array, os, socket, struct, sys
os.chdir(sys.argv[1])
HEAD = 4 + 4 + 4 + 4 + 12
def record(kind, value=0):
    return struct.pack('=IIIiIII', 2, kind, 0, value, 0, 0, 0).ljust(int(sys.argv[2]), b'\\0')
def connect():
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    s.settimeout(5)
    s.connect('control')
    return s
plan = os.memfd_create('plan')
os.write(plan, b'RKTPLAN1 and no more')
for i in range(1000):
    try:
        s = connect()
        kind = i % 5
        if kind == 1:
            s.send(b'x' * 100)
        elif kind == 2:
            s.send(record([11, 13, 16, 17, 18][i % 4]))
        elif kind == 3:
            r, w = os.pipe()
            s.sendmsg([record(13 if i % 2 else 11)], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array('i', [plan, r, w, w]))])
            os.close(r)
            os.close(w)
        elif kind == 4:
            for size in range(20):
                s.send(record(14, size))
        s.close()
    except OSError:
        pass
`

interface Footprint {
  readonly rssKiB: number
  readonly descriptors: number
  readonly processes: number
}

function footprint(pids: readonly number[]): Footprint {
  const rss = pids.map((pid) => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0))
  const descriptors = pids.map((pid) => readdirSync(`/proc/${pid}/fd`).length)
  const [, init = 0] = pids
  const children = readFileSync(`/proc/${init}/task/${init}/children`, 'utf8').trim().split(' ').filter((word) => word !== '')
  return { rssKiB: rss.reduce((a, b) => a + b, 0), descriptors: descriptors.reduce((a, b) => a + b, 0), processes: children.length }
}

test('F1 a thousand clients that go away half-way, and a flood of sizes, leave memory, descriptors and processes as they were', async (t) => {
  const pod = await scene.start([scene.image, '--stdin=tty', '--stdout=tty', '--stderr=tty', ...shellWords('while :; do sleep 1; done')])
  const directory = podDirectories(scene.dir).find((path) => path.endsWith(pod.uuid)) ?? ''
  const pids = [pod.pid, Number(readFileSync(`${directory}/pid`, 'utf8'))]
  const before = footprint(pids)
  // sizeof (struct message): seven words, struct fail, the text.
  const run = spawnSync('python3', ['-c', clients, directory, String(28 + 324 + 1024)], { timeout: 60_000, encoding: 'utf8' })
  t.is(run.status, 0, run.stderr)
  for (let dropped = 0; dropped < 10; dropped += 1) await scene.bash(`timeout -s KILL 0.3 $RKT enter ${pod.uuid} /bin/sleep 1000 </dev/null; true`)
  let after = footprint(pids)
  for (let waited = 0; waited < 10_000 && (after.descriptors > before.descriptors || after.processes > before.processes); waited += 200) {
    await sleep(200)
    after = footprint(pids)
  }
  t.is(after.descriptors, before.descriptors)
  t.true(after.processes <= before.processes, `${after.processes}`)
  t.true(after.rssKiB <= before.rssKiB + 256, `${before.rssKiB} KiB became ${after.rssKiB} KiB`)
  t.is((await scene.rkt(['enter', pod.uuid, '/bin/echo', 'inside'])).stdout, 'inside\n')
  t.true(existsSync(`/proc/${pod.pid}`))
  t.is((await scene.rkt(['stop', '--force', pod.uuid])).code, 0)
  await pod.end
})
