// Publishes ports of pods in a world of its own, asks them from everywhere, and prints what was answered. Usage: ports-probe.js DIRECTORY IMAGE
import { createServer } from 'node:net'
import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { probe } from '../support/paths.ts'
import { answered, ask, command, makeNeighbours, startWorldPod, worldRkt } from '../support/network-world.ts'

const [, , dir = '', image = ''] = process.argv
makeNeighbours()

// A network of both families, beside the built-in one of IPv4 alone.
mkdirSync(`${dir}.config/local/net.d`, { recursive: true })
const ranges = [[{ subnet: '10.77.0.0/24' }], [{ subnet: 'fd77::/64' }]]
const ipam = { type: 'host-local', ranges, routes: [{ dst: '0.0.0.0/0' }, { dst: '::/0' }] }
writeFileSync(`${dir}.config/local/net.d/10-dual.conf`, JSON.stringify({ cniVersion: '1.0.0', name: 'dual', type: 'ptp', ipMasq: true, ipam }))

// A chain whose plugins forward the ports and set the address of the link.
const chainIpam = { type: 'host-local', subnet: '10.78.0.0/24', routes: [{ dst: '0.0.0.0/0' }] }
const plugins = [
  { type: 'ptp', ipMasq: true, ipam: chainIpam },
  { type: 'tuning', capabilities: { mac: true } },
  { type: 'portmap', capabilities: { portMappings: true }, snat: true },
]
writeFileSync(`${dir}.config/local/net.d/20-chain.conflist`, JSON.stringify({ cniVersion: '1.0.0', name: 'chain', plugins }))

const listeners = 'answer udp 5353 dns & for p in 9000 9001 9002; do answer tcp $p many-$p & done; answer tcp 80 www'
const pod = await startWorldPod({ dir, image, flags: ['--port=www:8080', '--port=dns:5300', '--port=many:7000', '--port=many-1:198.51.100.1:7500'], script: listeners })
await answered({ ip: '127.0.0.1', port: 8080 })

const open = {
  outside: await answered({ from: 'out', ip: '192.0.2.1', port: 8080 }),
  ownAddress: await answered({ ip: '192.0.2.1', port: 8080 }),
  gateway: await answered({ ip: '172.16.28.1', port: 8080 }),
  loopback: await answered({ ip: '127.0.0.1', port: 8080 }),
  otherLoopback: await answered({ ip: '127.9.9.9', port: 8080 }),
  loopback6: await answered({ ip: '::1', port: 8080 }),
  udpOutside: await answered({ from: 'out', protocol: 'udp', ip: '192.0.2.1', port: 5300 }),
  udpOwn: await answered({ protocol: 'udp', ip: '192.0.2.1', port: 5300 }),
  udpLoopback: await answered({ protocol: 'udp', ip: '127.0.0.1', port: 5300 }),
  range: await Promise.all([7000, 7001, 7002].map((port) => answered({ from: 'out', ip: '192.0.2.1', port }))),
  oneAddress: await answered({ from: 'near', ip: '198.51.100.1', port: 7500 }),
  notOtherAddress: ask({ from: 'out', ip: '192.0.2.1', port: 7500 }),
  notLoopback: ask({ ip: '127.0.0.1', port: 7500 }),
}
const large = execFileSync('sh', ['-c', 'head -c 3000000 /dev/zero | nc -w2 127.0.0.1 8080 | wc -c'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
const status = await worldRkt(dir, ['status', pod.uuid])
const json: unknown = JSON.parse((await worldRkt(dir, ['status', '--format=json', pod.uuid])).stdout)
const hairpin = await worldRkt(dir, ['enter', pod.uuid, '/bin/nc', '192.0.2.1', '8080'])

// The port is taken, by a pod and by another program; of two starts at once one gets it.
const takenByPod = await worldRkt(dir, ['run', '--port=www:127.0.0.1:8080', image])
const server = createServer().listen(8081, '127.0.0.1')
const takenByHost = await worldRkt(dir, ['run', '--port=www:8081', image])
server.close()
const race = await Promise.all([0, 1, 2, 3].map(() => worldRkt(dir, ['run', '--rm', '--port=www:8082', image, '--exec=/bin/sleep', '--', '2'])))
const nowhere = await worldRkt(dir, ['run', '--port=www:203.0.113.9:80', image])
const onHost = await worldRkt(dir, ['run', '--net=host', '--port=www:80', image])
const unnamed = await worldRkt(dir, ['run', '--port=nope:80', image])

await pod.stop()
const sockets = (): string => command('ss', '-H', '--listening', '--tcp', '--udp', '--numeric')
const ended = { answer: ask({ ip: '127.0.0.1', port: 8080 }), rules: command('nft', 'list', 'ruleset'), sockets: sockets() }

const dual = await startWorldPod({ dir, image, flags: ['--net=dual', '--port=www:8080', '--port=dns:[2001:db8:1::1]:5300'], script: listeners })
await answered({ ip: '::1', port: 8080 })
const six = {
  outside: await answered({ from: 'out', ip: '2001:db8:1::1', port: 8080 }),
  outside4: await answered({ from: 'out', ip: '192.0.2.1', port: 8080 }),
  loopback: await answered({ ip: '::1', port: 8080 }),
  udp: await answered({ from: 'out', protocol: 'udp', ip: '2001:db8:1::1', port: 5300 }),
}
process.kill(dual.pid, 'SIGKILL')
await worldRkt(dir, ['gc', '--grace-period=0s'])
const killed = { rules: command('nft', 'list', 'ruleset').includes('rkt-'), sockets: sockets() }

const chain = await startWorldPod({ dir, image, flags: ['--net=chain:MAC=02-00-00-00-00-01,default-restricted', '--port=www:8080'], script: listeners })
const chained = {
  outside: await answered({ from: 'out', ip: '192.0.2.1', port: 8080 }),
  link: (await worldRkt(dir, ['enter', chain.uuid, '/bin/cat', '/sys/class/net/eth0/address'])).stdout.trim(),
  networks: (await worldRkt(dir, ['list', '--no-legend'])).stdout.trim().split(/\t+/).at(-1),
  rules: command('iptables-save', '-t', 'nat').includes('CNI'),
}
await chain.stop()
const chainEnded = { rules: /CNI-(DN|SN)?-?[0-9a-f]/.test(command('iptables-save', '-t', 'nat')), links: command('ip', '-br', 'link').includes('veth') }

// A kernel without nftables: only the older iptables is there.
command('mount', '--bind', '/usr/sbin/xtables-legacy-multi', '/usr/sbin/xtables-nft-multi')
const legacy = await startWorldPod({ dir, image, flags: ['--port=www:8080'], script: listeners, through: probe('without-nftables') })
const chains = (): boolean => command('iptables-save', '-t', 'nat').includes('RKT-PFWD')
const old = {
  outside: await answered({ from: 'out', ip: '192.0.2.1', port: 8080 }),
  ownAddress: await answered({ ip: '192.0.2.1', port: 8080 }),
  loopback: await answered({ ip: '127.0.0.1', port: 8080 }),
  rules: chains(),
}
process.kill(legacy.pid, 'SIGKILL')
await worldRkt(dir, ['gc', '--grace-period=0s'])
const oldEnded = { rules: /RKT|CNI-/.test(command('iptables-save', '-t', 'nat')), sockets: sockets() }

const result = ({ code, stderr }: { readonly code: number | null; readonly stderr: string }): unknown => ({ code, stderr: stderr.split('\n').filter((line) => !line.includes('warning')) })
process.stdout.write(
  JSON.stringify({
    open,
    large,
    ports: status.stdout.split('\n').find((line) => line.startsWith('ports=')),
    json,
    hairpin: hairpin.stdout.trim(),
    takenByPod: result(takenByPod),
    uuid: pod.uuid,
    takenByHost: result(takenByHost),
    race: race.map(({ code }) => code).sort(),
    raceWords: race.filter(({ code }) => code !== 0).every(({ stderr }) => /cannot expose tcp port 0\.0\.0\.0:8082: (pod "[-0-9a-f]+" has it|another program)/.test(stderr)),
    nowhere: result(nowhere),
    onHost: result(onHost),
    unnamed: result(unnamed),
    ended,
    six,
    killed,
    chained,
    old,
    oldEnded,
    chainEnded,
  }),
)
