import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import { makeAci } from '../support/aci.ts'
import { temporaryDirectory } from '../support/temp.ts'

/** Runs a probe in namespaces of its own: links and firewall rules of this machine are never touched. */
function runProbe(name: string, ...args: readonly string[]): string {
  const probe = fileURLToPath(new URL(`./${name}.js`, import.meta.url))
  const script = 'mount -t tmpfs tmpfs /run && exec "$@"'
  const argv = ['--net', '--mount', '--propagation', 'private', 'sh', '-c', script, 'sh', process.execPath, probe, ...args]
  return execFileSync('unshare', argv, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'], timeout: 110_000 })
}

test('a pod on the default network talks to the host and is reached from it; its end leaves nothing', (t) => {
  using place = temporaryDirectory()
  const output = runProbe('network-pod-probe', place.in('data'), makeAci())
  const seen: unknown = JSON.parse(output)
  t.like(seen, {
    code: 0,
    info: [{ netName: 'default', ifName: 'eth0', ip: '172.16.28.2', hostIP: '172.16.28.1' }],
    networks: 'default:ip4=172.16.28.2',
    answer: 'from pod',
    during: true,
    after: [],
    missing: { code: 254 },
    taken: { code: 254, after: [] },
    pods: [],
  })
  t.regex(output, /inet 172\.16\.28\.2\/24/)
  t.regex(output, /default via 172\.16\.28\.1 dev eth0/)
  t.regex(output, /hello pod/)
  t.regex(output, /failed to setup network: networks not found: \\\\?"nonesuch/)
  t.regex(output, /failed to setup network \\\\?"default\\\\?": /)
})

test('a start that is killed at any moment leaves nothing after collection', (t) => {
  using place = temporaryDirectory()
  t.deepEqual(JSON.parse(runProbe('network-crash-probe', place.in('data'), makeAci(), '30')), [])
})
