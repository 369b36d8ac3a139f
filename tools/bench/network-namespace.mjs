// A network namespace with a /run of its own, held by a process: what is measured there never touches the addresses and rules of the host.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { environment } from './measure.mjs'

const script = `
for place in /run /var/lib /etc/cni; do [ ! -d $place ] || mount -t tmpfs tmpfs $place; done
ip link set lo up && echo ready && exec sleep infinity`

/** Runs `use` with the words that bring a command into the namespace. */
export async function inNetworkNamespace(use) {
  const holder = spawn('unshare', ['--net', '--mount', '--propagation', 'private', 'sh', '-e', '-c', script], { env: environment, stdio: ['ignore', 'pipe', 'inherit'] })
  try {
    await once(holder.stdout, 'data')
    return await use(['nsenter', `--target=${holder.pid}`, '--net', '--mount'])
  } finally {
    holder.kill('SIGKILL')
  }
}
