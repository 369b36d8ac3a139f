// Runs pods with the built command inside a network and mount namespace that the test made, and prints what it saw as JSON.
// Usage: network-pod-probe.js DATA-DIRECTORY IMAGE
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { readNetInfo } from '../../src/network/index.ts'
import { rkt } from '../support/run.ts'

const [, , dir = '', image = ''] = process.argv
const base = ['--insecure-options=image', 'run', '--uuid-file-save=' + join(dir, 'uuid')]

execFileSync('ip', ['link', 'set', 'lo', 'up'])
const server = createServer((socket) => socket.end('hello pod\n'))
await new Promise<void>((resolve) => server.listen(8000, '0.0.0.0', resolve))

function leftovers(): readonly string[] {
  const links = readdirSync('/sys/class/net').filter((name) => name.startsWith('veth'))
  const rules = execFileSync('iptables-save', ['-t', 'nat'], { encoding: 'utf8' }).split('\n').filter((line) => line.includes('CNI'))
  const addresses = '/run/rkt/networks/default'
  const leases = existsSync(addresses) ? readdirSync(addresses).filter((name) => /^[0-9.]+$/.test(name)) : []
  return [...links, ...rules, ...leases]
}

/** The directory of the pod that runs now, once its network is up. */
async function runningPod(): Promise<string> {
  for (;;) {
    const [uuid] = existsSync(join(dir, 'pods', 'run')) ? readdirSync(join(dir, 'pods', 'run')) : []
    const pod = join(dir, 'pods', 'run', uuid ?? '')
    if (uuid !== undefined && existsSync(join(pod, 'net-info.json'))) return pod
    await sleep(20)
  }
}

/** What a listener in the pod says; tried until it listens. */
async function ask(host: string, port: number): Promise<string> {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    const answer = await new Promise<string | undefined>((resolve) => {
      const socket = connect({ host, port, timeout: 1000 })
      socket.on('error', () => resolve(undefined))
      socket.on('timeout', () => socket.destroy())
      socket.on('data', (data) => resolve(data.toString().trim()))
      socket.on('close', () => resolve(undefined))
    })
    if (answer !== undefined) return answer
    await sleep(50)
  }
  return 'no answer'
}

const script = 'ip -4 -o addr show eth0; ip route; nc 172.16.28.1 8000 </dev/null; echo from pod | nc -l -p 80'
const running = rkt([...base, '--net=default', '--rm', image, '--exec=/bin/sh', '--', '-c', script], { dir })
const pod = await runningPod()
const info = readNetInfo(pod)
const listed = await rkt(['list', '--no-legend'], { dir })
const answer = await ask(info[0]?.ip ?? '', 80)
const during = leftovers()
const result = await running
const after = leftovers()

const missing = await rkt([...base, '--net=nonesuch', image], { dir })
const taken = await rkt([...base, '--net=default:IP=10.9.9.9', image], { dir })
server.close()
process.stdout.write(
  JSON.stringify({
    code: result.code,
    stdout: result.stdout,
    stderr: result.stderr,
    info,
    networks: listed.stdout.trim().split(/\t+/).at(-1),
    answer,
    during: during.length > 0,
    after,
    missing: { code: missing.code, stderr: missing.stderr },
    taken: { code: taken.code, stderr: taken.stderr, after: leftovers() },
    pods: readdirSync(join(dir, 'pods')).flatMap((state) => readdirSync(join(dir, 'pods', state))),
  }),
)
