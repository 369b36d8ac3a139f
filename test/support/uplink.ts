import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** Addresses of an uplink: a machine with a network, and a server somewhere behind it. */
export const uplinkAddress = { machine: '198.51.100.2', server: '198.51.100.1' } as const

/** A network namespace that looks like that of a connected machine; the real one has no part in it. */
export interface Uplink extends AsyncDisposable {
  /** Process in the machine's network namespace. */
  readonly pid: number
}

/** The far side, in a namespace of its own: waits for its end of the link, then serves. */
const farSide = [
  'while ! ip link set down0 up 2>/dev/null; do sleep 0.02; done',
  `ip link set lo up && ip addr add ${uplinkAddress.server}/24 dev down0 && exec "$0" "$1" far`,
].join('\n')

const nearSide = [
  'set -e',
  'ip link set lo up',
  'ip link add up0 type veth peer name down0',
  'unshare --net -- sh -c "$3" "$1" "$2" &',
  // Until the child has its own namespace, its end of the link would stay here.
  'while [ "$(readlink /proc/$!/ns/net)" = "$(readlink /proc/$$/ns/net)" ]; do sleep 0.02; done',
  'ip link set down0 netns $!',
  `ip addr add ${uplinkAddress.machine}/24 dev up0`,
  'ip link set up0 up',
  `ip route add default via ${uplinkAddress.server}`,
  'exec "$1" "$2" near',
].join('\n')

/**
 * A machine whose server behind it says `far` on port 80 and gives every name the address 192.0.2.77; a service of the machine says `near` on
 * port 8099 of its loopback.
 */
export async function openUplink(): Promise<Uplink> {
  const server = fileURLToPath(new URL('uplink-server.js', import.meta.url))
  // Everything ends with the first process of the PID namespace.
  const command = ['--net', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc', '--', '/bin/sh', '-c', nearSide, 'sh', process.execPath, server, farSide]
  const child = spawn('/usr/bin/unshare', command, { stdio: ['ignore', 'pipe', 'inherit'], env: { PATH: process.env['PATH'] } })
  const ended = once(child, 'exit')
  let ready = 0
  for await (const line of createInterface({ input: child.stdout })) if (line === 'ready' && ++ready === 2) break
  if (ready < 2 || child.pid === undefined) throw new Error('the uplink did not start')
  return {
    pid: child.pid,
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL')
      await ended
    },
  }
}

/** Commands of root that let ordinary users open /dev/net/tun, as udev does. */
export const openTunnel = '[ -e "$PLACE/tun" ] || mknod "$PLACE/tun" c 10 200 2>/dev/null || :; chmod 666 "$PLACE/tun"; mount --bind "$PLACE/tun" /dev/net/tun'
