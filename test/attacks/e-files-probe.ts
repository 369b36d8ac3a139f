// E2: what another user of the host finds of a pod that a caller with umask 000 started. Prints it as JSON. Usage: e-files-probe.js DIRECTORY IMAGE
import { spawn, spawnSync } from 'node:child_process'
import { chmodSync, existsSync } from 'node:fs'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { answered, makeNeighbours, startWorldPod, worldRkt } from '../support/network-world.ts'
import { rktProgram } from '../support/paths.ts'

const [, , dir = '', image = ''] = process.argv
makeNeighbours()
process.umask(0)
chmodSync(dirname(dir), 0o755)
await worldRkt(dir, ['list'])
const service = spawn(rktProgram, ['metadata-service'], { stdio: 'ignore' })
while (!existsSync('/run/rkt/metadata-svc.sock')) await sleep(20)
const pod = await startWorldPod({ dir, image, flags: ['--mds-register', '--port=www:8080'], script: 'answer tcp 80 www' })
await answered({ ip: '127.0.0.1', port: 8080 })

/** What a user can read, connect to or change there. */
function reachable(uid: string): readonly string[] {
  const tests = ['(', '-type', 'f', '-readable', ')', '-o', '(', '-type', 's', '-writable', ')', '-o', '(', '-type', 'd', '-writable', ')']
  const argv = [`--reuid=${uid}`, `--regid=${uid}`, '--clear-groups', 'find', dir, '/run/rkt', ...tests]
  const { stdout } = spawnSync('setpriv', argv, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
  return stdout.split('\n').filter(Boolean)
}

const stranger = reachable('65534')
const root = reachable('0')
const connected = spawnSync('setpriv', ['--reuid=65534', '--regid=65534', '--clear-groups', 'nc', '-U', '/run/rkt/metadata-svc.sock'], { stdio: 'ignore', timeout: 2000 }).status
await pod.stop()
service.kill()
process.stdout.write(JSON.stringify({ stranger, connected, root: ['ports.json', 'metadata-url', 'metadata-svc.sock', 'plan'].filter((name) => root.some((path) => path.endsWith(`/${name}`))) }))
