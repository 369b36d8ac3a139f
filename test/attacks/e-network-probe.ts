// Family E: what neighbours, pods and firewalls can do to the network of pods, in a world of its own. Prints what was seen as JSON.
// Usage: e-network-probe.js DIRECTORY IMAGE
import { spawn, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { answered, ask, command, makeNeighbours, startWorldPod, worldRkt } from '../support/network-world.ts'
import { probe } from '../support/paths.ts'

const [, , dir = '', image = ''] = process.argv
makeNeighbours()
const state = async (uuid: string): Promise<readonly string[]> => (await worldRkt(dir, ['status', uuid])).stdout.split('\n').filter((line) => /^(state|degraded)=/.test(line))
const setting = (path: string): string => readFileSync(`/proc/sys/net/${path}`, 'utf8').trim()

const victim = await startWorldPod({ dir, image, flags: ['--port=www:8080', '--port=many:127.0.0.1:7000'], script: 'answer tcp 9000 private & answer tcp 80 www' })
await answered({ ip: '127.0.0.1', port: 8080 })
await answered({ ip: '127.0.0.1', port: 7000 })

// E3: the neighbour has no loopback of its own, and sends what is for 127.0.0.1 to the node.
const near = (...words: readonly string[]): number | null => spawnSync('ip', ['netns', 'exec', 'near', ...words], { stdio: 'ignore' }).status
near('ip', 'addr', 'flush', 'dev', 'lo')
near('ip', 'route', 'del', 'local', '127.0.0.0/8', 'dev', 'lo', 'table', 'local')
near('sysctl', '-w', 'net.ipv4.conf.all.route_localnet=1')
near('ip', 'route', 'add', '127.0.0.0/8', 'via', '198.51.100.1', 'src', '198.51.100.2')
const e3 = {
  sentThere: command('ip', '-n', 'near', 'route', 'get', '127.0.0.1').includes('via 198.51.100.1'),
  published: ask({ from: 'near', ip: '127.0.0.1', port: 8080 }),
  loopbackOnly: ask({ from: 'near', ip: '127.0.0.1', port: 7000 }),
  loopbackOnlyElsewhere: ask({ from: 'near', ip: '198.51.100.1', port: 7000 }),
  positive: await answered({ from: 'near', ip: '198.51.100.1', port: 8080 }),
  positiveLoopback: await answered({ ip: '127.0.0.1', port: 7000 }),
  routeLocalnet: command('sh', '-c', 'cat /proc/sys/net/ipv4/conf/*/route_localnet | sort -u').trim(),
}

// E5: a pod with CAP_NET_RAW sends router advertisements, ARP and DHCP answers.
const routes = (): string => command('ip', '-6', 'route', 'show', 'table', 'all').split('\n').filter((line) => !line.includes('lo ') && !line.includes('veth')).join('\n') + command('ip', 'route')
const podRoutes = async (): Promise<string> => (await worldRkt(dir, ['enter', victim.uuid, '/bin/sh', '-c', 'ip -6 route; ip route; cat /proc/net/arp'])).stdout
const before = { host: routes(), pod: await podRoutes() }
const attacker = await startWorldPod({ dir, image, script: 'poison eth0 172.16.28.2 > /sent; sleep 100' })
await new Promise((resolve) => setTimeout(resolve, 1000))
const sent = await worldRkt(dir, ['enter', attacker.uuid, '/bin/cat', '/sent'])
const hostAfter = command('ip', '-6', 'route', 'show', 'table', 'all') + command('ip', '-6', 'addr')
const e5 = {
  sent: sent.stdout.trim(),
  advertised: /bad/.test(hostAfter),
  podUnchanged: (await podRoutes()) === before.pod,
  reached: await answered({ ip: '172.16.28.2', port: 80 }),
  refused: command('sh', '-c', 'cat /proc/sys/net/ipv6/conf/veth*/accept_ra | sort -u').trim(),
  // The frames are such as work where somebody listens.
  positive: await (async () => {
    command('sysctl', '-qw', 'net.ipv6.conf.to-out.accept_ra=2')
    spawnSync('ip', ['netns', 'exec', 'out', probe('poison'), 'eth0', '192.0.2.9'], { stdio: 'ignore' })
    const taken = /bad/.test(command('ip', '-6', 'route'))
    command('sysctl', '-qw', 'net.ipv6.conf.to-out.accept_ra=0')
    return taken
  })(),
}
await attacker.stop()

// E6: a packet for the neighbour passes through the node.
const other = spawn('ip', ['netns', 'exec', 'near', probe('answer'), 'tcp', '8080', 'neighbour'], { stdio: 'ignore' })
await answered({ from: 'near', ip: '198.51.100.2', port: 8080 })
const e6 = {
  forwards: setting('ipv4/ip_forward'),
  passing: await answered({ from: 'out', ip: '198.51.100.2', port: 8080 }),
  passingFromHost: await answered({ ip: '198.51.100.2', port: 8080 }),
  positive: await answered({ from: 'out', ip: '198.51.100.1', port: 8080 }),
}
other.kill()

// E7: the firewall is loaded anew while the pod runs; then what holds the ports is killed.
const everyPort = async (look: typeof ask | typeof answered): Promise<object> => ({
  published: await look({ from: 'out', ip: '192.0.2.1', port: 8080 }),
  loopbackOnly: ask({ from: 'out', ip: '192.0.2.1', port: 7000 }),
  loopback: await look({ ip: '127.0.0.1', port: 7000 }),
})
command('nft', 'flush', 'ruleset')
const flushed = { ...(await everyPort(answered)), rules: command('nft', 'list', 'ruleset').includes(`rkt-${victim.uuid}`), state: await state(victim.uuid) }
const deleted = spawnSync('nft', ['delete', 'table', 'inet', `rkt-${victim.uuid}`], { stdio: 'ignore' }).status
const record: unknown = JSON.parse(readFileSync(`${victim.dir}/ports.json`, 'utf8'))
process.kill(Number(Object(record)['keeper']['pid']), 'SIGKILL')
await new Promise((resolve) => setTimeout(resolve, 100))
const killed = { ...(await everyPort(ask)), state: await state(victim.uuid) }
await victim.stop()
process.stdout.write(JSON.stringify({ e3, e5, e6, e7: { flushed, deleted, killed } }))
