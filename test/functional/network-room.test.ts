import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import test from 'ava'

const probe = fileURLToPath(new URL('./network-probe.js', import.meta.url))

/** Runs one scenario in namespaces of its own: bridges, links and firewall rules of this machine are never touched. */
function run(scenario: string): unknown {
  const directory = mkdtempSync(join(tmpdir(), 'rkt-network-'))
  try {
    const script = 'mount -t tmpfs tmpfs /run && exec "$@"'
    const argv = ['--net', '--mount', '--propagation', 'private', 'sh', '-c', script, 'sh', process.execPath, probe, scenario, directory]
    return JSON.parse(execFileSync('unshare', argv, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] }))
  } finally {
    rmSync(directory, { recursive: true })
  }
}

const nothing = { links: [], chains: [], leases: [] }

test('a connected namespace reaches the host, and DEL leaves no link, rule or lease', (t) => {
  const info = {
    netName: 'default',
    netConf: 'net/99-default.conf',
    pluginPath: '/usr/lib/cni/ptp',
    ifName: 'eth0',
    ip: '172.16.28.2',
    args: '',
    mask: '255.255.255.0',
    hostIP: '172.16.28.1',
  }
  t.like(run('connect'), {
    interfaces: [info],
    recorded: [info],
    conf: ['99-default.conf'],
    pingsPod: true,
    pingsHost: true,
    route: 'default via 172.16.28.1 dev eth0',
    during: { leases: ['172.16.28.2'] },
    end: [0],
    after: nothing,
    again: [0],
  })
})

test('a network that fails takes back the ones before it', (t) => {
  t.deepEqual(run('halfway'), { message: 'failed to setup network "z": invalid CIDR address: nonsense', after: nothing })
})

test('after a reboot DEL without a namespace gives the lease back', (t) => {
  t.like(run('reboot'), { end: [0], after: { leases: [] } })
})

test('an address in use is refused in the words of the plugin', (t) => {
  t.deepEqual(run('taken'), {
    ip: '172.16.28.77',
    message: 'failed to setup network "default": failed to allocate for range 0: requested IP address 172.16.28.77 is not available in range set 172.16.28.1-172.16.28.254',
  })
})
