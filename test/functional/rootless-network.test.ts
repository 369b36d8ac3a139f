import { readdirSync, readFileSync } from 'node:fs'
import test from 'ava'
import { podDirectories, shellWords, until } from '../support/pod-scene.ts'
import { openRootlessScene, type RootlessScene } from '../support/rootless-scene.ts'
import { openTunnel, openUplink, type Uplink, uplinkAddress } from '../support/uplink.ts'

const ports = [{ name: 'web', protocol: 'tcp', port: 80, count: 1, socketActivated: false }]
const uplink = await openUplink()
const nameServer = `echo 'nameserver ${uplinkAddress.server}' > "$PLACE/etc/resolv.conf"`
const scene = await openScene(uplink, '')
test.after.always(async () => {
  scene[Symbol.dispose]()
  await uplink[Symbol.asyncDispose]()
})

function openScene({ pid }: Uplink, more: string): Promise<RootlessScene> {
  return openRootlessScene({ networkOf: pid, before: [nameServer, openTunnel, more].join('\n'), manifest: { app: { ports } } })
}

/** Tries a TCP connection, and prints what it brings. */
const connect = (address: string, port: number): string => `timeout 4 nc -w 2 ${address} ${port} < /dev/null 2>&1 | head -n 1`

/** Processes of a program, by the name in /proc. */
function running(program: string): readonly string[] {
  return readdirSync('/proc').filter((pid) => {
    try {
      const [name = '', ...words] = readFileSync(`/proc/${pid}/cmdline`, 'latin1').split('\0')
      return name.endsWith(program) && words.includes('10.0.2.100')
    } catch {
      // Not a process, or one that has ended.
      return false
    }
  })
}

const everywhere = [connect(uplinkAddress.server, 80), connect('127.0.0.1', 8099), connect('10.0.2.2', 8099)].join('; ')

test.serial('pasta connects a pod to the network, and not to the loopback of the host', async (t) => {
  const { code, stdout, stderr } = await scene.shell(`ip -o -4 addr show eth0 | grep -o '10[^ ]*'; cat /etc/resolv.conf; ${everywhere}; timeout 8 nslookup -type=a some.example`, { net: 'default' })
  t.is(code, 0, stderr)
  t.regex(stdout, /^10\.0\.2\.100\/24\n/)
  t.regex(stdout, /^nameserver 10\.0\.2\.3\nfar\n/m)
  t.regex(stdout, /^Address: 192\.0\.2\.77$/m)
  t.notRegex(stdout, /near/)
  t.deepEqual(running('pasta'), [])
})

test.serial('the network program ends with the pod, also when the launcher is killed', async (t) => {
  const pod = await scene.start([scene.image, ...shellWords('sleep 100')])
  t.true(running('pasta').length > 0)
  t.regex((await scene.rkt(['list', '--no-legend'])).stdout, /\sdefault:ip4=10\.0\.2\.100\s*$/m)
  process.kill(pod.pid, 'SIGKILL')
  await pod.end
  await until('the end of pasta', () => running('pasta').length === 0)
  t.is((await scene.rkt(['gc', '--grace-period=0s'])).code, 0)
  t.deepEqual(podDirectories(scene.data), [])
})

test.serial('ports of the machine lead into the pod', async (t) => {
  const pod = await scene.start(['--port=web:8088', '--rm', scene.image, ...shellWords('while :; do echo pod | nc -l -p 80 >/dev/null; done')])
  const inside = (address: string): Promise<{ readonly stdout: string }> => scene.bash(`for i in 1 2 3 4 5 6 7 8 9 10; do busybox nc -w 1 ${address} 8088 < /dev/null | grep . && break; sleep 0.1; done`)
  t.is((await inside(uplinkAddress.machine)).stdout, 'pod\n')
  t.is((await inside('127.0.0.1')).stdout, 'pod\n')
  t.regex((await scene.rkt(['status', pod.uuid])).stdout, /web:tcp=0\.0\.0\.0:8088>10\.0\.2\.100:80/)
  t.is((await scene.rkt(['stop', '--force', pod.uuid])).code, 0)
  await pod.end
})

test.serial('slirp4netns connects a pod where pasta is missing, and not to the loopback of the host', async (t) => {
  using other = await openScene(uplink, 'mount --bind /dev/null /usr/bin/pasta')
  const { code, stdout, stderr } = await other.shell(everywhere, { net: 'default' })
  t.is(code, 0, stderr)
  t.regex(stdout, /^far$/m)
  t.notRegex(stdout, /near/)
  const refused = await other.rkt(['--insecure-options=image', 'run', '--port=web:8088', other.image])
  t.is(refused.code, 254)
  t.regex(refused.stderr, /cannot expose ports of the pod: slirp4netns does not; expected pasta/)
})

test.serial('the network of the host needs no program, and other networks need root', async (t) => {
  const host = await scene.shell(`${connect('127.0.0.1', 8099)}; ls /sys/fs/cgroup; echo > /sys/kernel/uevent_helper`, { net: 'host' })
  t.regex(host.stdout, /^near\n$/)
  t.regex(host.stderr, /Read-only file system|nonexistent directory/)
  const { code, stderr } = await scene.rkt(['--insecure-options=image', 'run', '--net=other', scene.image])
  t.is(code, 254)
  t.regex(stderr, /failed to setup network: network "other" needs rights of root on the host/)
  t.regex(stderr, /hint: an ordinary user has --net=default, --net=host and --net=none/)
})

test.serial('a machine without a tunnel device is told what to do', async (t) => {
  using user = await openRootlessScene({ before: 'mknod "$PLACE/tun" c 10 200 2>/dev/null || :; chmod 600 "$PLACE/tun"; mount --bind "$PLACE/tun" /dev/net/tun' })
  const { code, stderr } = await user.rkt(['--insecure-options=image', 'run', user.image])
  t.is(code, 254)
  t.regex(stderr, /cannot connect the pod to a network: "\/dev\/net\/tun" cannot be opened by ordinary users/)
  t.regex(stderr, /hint: let root make it so \(modprobe tun; chmod 666 \/dev\/net\/tun\), or use --net=none or --net=host/)
})
