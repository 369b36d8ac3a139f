// Passes the appc specification's validator in a network and mount namespace that the test made: two apps in one pod on the default network,
// registered with the metadata service. Prints what it saw as JSON. Usage: ace-probe.js DIRECTORY VALIDATOR
import { execFileSync, spawn } from 'node:child_process'
import { chmodSync, copyFileSync, existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { rktProgram } from '../support/paths.ts'
import { placeFlags, rkt } from '../support/run.ts'

const [, , place = '', validator = ''] = process.argv
const dir = join(place, 'data')

/** An image as the specification describes those of the validator, built by actool. */
function build(name: string, app: Readonly<Record<string, unknown>>): string {
  const root = join(place, name)
  mkdirSync(join(root, 'rootfs/opt/acvalidator'), { recursive: true })
  mkdirSync(join(root, 'rootfs/db'))
  copyFileSync(validator, join(root, 'rootfs/ace-validator'))
  chmodSync(join(root, 'rootfs/ace-validator'), 0o755)
  const labels = [{ name: 'version', value: '0.8.11' }, { name: 'os', value: 'linux' }, { name: 'arch', value: process.arch === 'arm64' ? 'aarch64' : 'amd64' }]
  const annotations = [{ name: 'created', value: '2016-01-01T00:00:00Z' }, { name: 'authors', value: 'nobody' }]
  writeFileSync(join(root, 'manifest'), JSON.stringify({ acKind: 'ImageManifest', acVersion: '0.8.11', name: `example.com/${name}`, labels, annotations, app }))
  const image = join(place, `${name}.aci`)
  execFileSync('actool', ['build', root, image])
  return image
}

const common = { user: '0', group: '0', mountPoints: [{ name: 'database', path: '/db', readOnly: false }] }
const main = build('ace-validator-main', {
  ...common,
  exec: ['/ace-validator', 'main'],
  eventHandlers: [{ name: 'pre-start', exec: ['/ace-validator', 'preStart'] }, { name: 'post-stop', exec: ['/ace-validator', 'postStop'] }],
  workingDirectory: '/opt/acvalidator',
  environment: [{ name: 'IN_ACE_VALIDATOR', value: 'correct' }],
  isolators: [
    { name: 'resource/memory', value: { request: '250M', limit: '1G' } },
    { name: 'resource/cpu', value: { request: '250m', limit: '1' } },
    { name: 'os/linux/capabilities-retain-set', value: { set: ['CAP_NET_BIND_SERVICE', 'CAP_DAC_OVERRIDE'] } },
  ],
  ports: [{ name: 'www', protocol: 'tcp', port: 80 }],
})
const sidekick = build('ace-validator-sidekick', { ...common, exec: ['/ace-validator', 'sidekick'] })

execFileSync('ip', ['link', 'set', 'lo', 'up'])
execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', '/run'])
const service = spawn(rktProgram, [...placeFlags(dir), 'metadata-service'], { stdio: ['ignore', 'inherit', 'pipe'] })
let said = ''
service.stderr.on('data', (data: Buffer) => {
  said += data.toString()
})
for (let waitedMs = 0; !existsSync('/run/rkt/metadata-svc.sock') && waitedMs < 20_000; waitedMs += 20) await sleep(20)
const words = ['run', '--rm', '--net=default', '--mds-register', '--volume=database,kind=empty', main, sidekick]
const { code, stdout, stderr } = await rkt(['--insecure-options=image', ...words], { dir, timeoutMs: 100_000 })
service.kill('SIGTERM')
const serviceCode = await new Promise<number | null>((resolve) => service.on('exit', resolve))
console.log(JSON.stringify({ code, stdout, stderr, said, serviceCode }))
