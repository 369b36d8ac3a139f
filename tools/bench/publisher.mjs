// A server of the measured machine's own, with a certificate that this mount namespace trusts.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { environment, prepare } from './measure.mjs'

/** Serves `directory`; `origin` is its URL, `caFile` what vouches for it. Ends with `stop()`. */
export async function startPublisher(place, directory) {
  const home = join(place.tmpfs, 'publisher')
  mkdirSync(home, { recursive: true })
  const file = (name) => join(home, name)
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2']
  prepare(['openssl', 'req', '-x509', ...newKey, '-subj', '/CN=bench', '-keyout', file('ca.key'), '-out', file('ca.pem')])
  const signed = ['-CA', file('ca.pem'), '-CAkey', file('ca.key'), '-addext', 'subjectAltName=DNS:localhost', '-addext', 'basicConstraints=critical,CA:FALSE']
  prepare(['openssl', 'req', '-x509', ...newKey, '-subj', '/CN=localhost', ...signed, '-keyout', file('server.key'), '-out', file('server.pem')])
  prepare(['mount', '--bind', file('ca.pem'), '/etc/ssl/certs/ca-certificates.crt'])
  const server = spawn(process.execPath, [join(import.meta.dirname, 'https-server.mjs'), directory, file('server.key'), file('server.pem')], {
    env: environment,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [port] = await once(server.stdout, 'data')
  return {
    origin: `https://localhost:${String(port).trim()}`,
    caFile: file('ca.pem'),
    stop: () => {
      server.kill('SIGKILL')
      prepare(['umount', '/etc/ssl/certs/ca-certificates.crt'])
    },
  }
}
