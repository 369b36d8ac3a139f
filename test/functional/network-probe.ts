// Runs inside a network and mount namespace that the test made: connects a namespace with the real plugins, tries it, disconnects it,
// and prints what it saw as JSON. Usage: network-probe.js SCENARIO DIRECTORY
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { errorText, silentLog } from '../../src/base/index.ts'
import { type EndExec, parseNetFlag, readNetInfo, setupNetworks, type SetupOptions } from '../../src/network/index.ts'

const [, , scenario = '', directory = ''] = process.argv

function command(...argv: readonly [string, ...string[]]): string {
  const [program, ...rest] = argv
  return execFileSync(program, rest, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })
}

function succeeds(...argv: readonly [string, ...string[]]): boolean {
  const [program, ...rest] = argv
  return spawnSync(program, rest, { stdio: 'ignore' }).status === 0
}

/** What a pod's network leaves behind, when it leaves anything. */
function leftovers(): unknown {
  return {
    links: readdirSync('/sys/class/net').filter((name) => name.startsWith('veth')),
    chains: command('iptables-save', '-t', 'nat').split('\n').filter((line) => line.includes('CNI')),
    leases: readdirSync('/run/rkt/networks/default').filter((name) => /^[0-9.]+$/.test(name)),
  }
}

function runEnd(end: readonly EndExec[]): (number | null)[] {
  return end.map(({ argv: [program = '', ...rest], env, stdin }) => spawnSync(program, rest, { env, input: stdin, cwd: '/' }).status)
}

function options(name: string, flag: string): SetupOptions {
  const podDir = join(directory, 'pod', name)
  mkdirSync(podDir, { recursive: true })
  command('ip', 'netns', 'add', name)
  return {
    request: parseNetFlag([flag]),
    uuid: `00000000-0000-4000-8000-00000000000${name.length}`,
    netnsPath: `/run/netns/${name}`,
    endNetns: `/run/netns/${name}`,
    localConfig: join(directory, 'etc'),
    log: silentLog,
    podDir,
    signal: AbortSignal.timeout(60_000),
  }
}

async function connect(): Promise<unknown> {
  const pod = options('p', 'default')
  const { interfaces, teardown } = await setupNetworks(pod)
  const [info] = interfaces
  const seen = {
    interfaces,
    recorded: readNetInfo(pod.podDir),
    conf: readdirSync(join(pod.podDir, 'net')),
    pingsPod: succeeds('busybox', 'ping', '-c1', '-W2', info?.ip ?? ''),
    pingsHost: succeeds('ip', 'netns', 'exec', 'p', 'busybox', 'ping', '-c1', '-W2', info?.hostIP ?? ''),
    route: command('ip', '-n', 'p', 'route', 'show', 'default').trim(),
    during: leftovers(),
  }
  return { ...seen, end: runEnd(teardown), after: leftovers(), again: runEnd(teardown) }
}

/** The second network fails: the first is taken back. */
async function halfway(): Promise<unknown> {
  mkdirSync(join(directory, 'etc', 'net.d'), { recursive: true })
  const ipam = { type: 'host-local', subnet: 'nonsense' }
  writeFileSync(join(directory, 'etc', 'net.d', '99-z.conf'), JSON.stringify({ cniVersion: '1.0.0', name: 'z', type: 'ptp', ipam }))
  const message = await setupNetworks(options('p', 'default,z')).then(() => 'connected', errorText)
  return { message, after: leftovers() }
}

/** The namespace is gone, as after a reboot: the launcher then gives the plugin an empty CNI_NETNS. */
async function reboot(): Promise<unknown> {
  const pod = options('p', 'default')
  const { teardown } = await setupNetworks({ ...pod, endNetns: '' })
  command('ip', 'netns', 'delete', 'p')
  return { end: runEnd(teardown), after: leftovers() }
}

/** An address that is in use, asked for by name. */
async function taken(): Promise<unknown> {
  const first = await setupNetworks(options('p', 'default:IP=172.16.28.77'))
  const message = await setupNetworks(options('pp', 'default:IP=172.16.28.77')).then(() => 'connected', errorText)
  return { ip: first.interfaces[0]?.ip, message }
}

const scenarios: Readonly<Record<string, () => Promise<unknown>>> = { connect, halfway, reboot, taken }
mkdirSync('/run/netns', { recursive: true })
command('ip', 'link', 'set', 'lo', 'up')
process.stdout.write(JSON.stringify(await scenarios[scenario]?.()))
