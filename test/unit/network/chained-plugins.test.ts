import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { spawnSync } from 'node:child_process'
import test from 'ava'
import { errorText, silentLog } from '../../../src/base/index.ts'
import { parseNetFlag, setupNetworks, type PortMapping } from '../../../src/network/index.ts'
import { type TemporaryDirectory, temporaryDirectory } from '../../support/temp.ts'

interface Call {
  readonly plugin: string
  readonly env: Readonly<Record<string, string>>
  readonly stdin: Readonly<Record<string, unknown>>
}

/** A plugin that records how it is called and answers `answer`; with a status, it fails. */
function plugin(place: TemporaryDirectory, { name, answer, status = 0 }: { readonly name: string; readonly answer: unknown; readonly status?: number }): void {
  const path = place.in('etc/net.d', name)
  const script = `#!/bin/sh
n=$(ls ${place.in('calls')} | wc -l)
exec 9>${place.in('calls')}/$(printf %03d $n)-${name}
env | grep ^CNI_ >&9
echo >&9
cat >&9
[ "$CNI_COMMAND" = ADD ] || exit 0
cat <<'EOF'
${JSON.stringify(answer)}
EOF
exit ${status}
`
  writeFileSync(path, script)
  chmodSync(path, 0o755)
}

function calls(place: TemporaryDirectory): readonly Call[] {
  return readdirSync(place.in('calls')).sort().map((name) => {
    const [env = '', stdin = ''] = readFileSync(join(place.in('calls'), name), 'utf8').split(/\n\n/)
    return { plugin: name.slice(4), env: Object.fromEntries(env.split('\n').map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)])), stdin: JSON.parse(stdin) }
  })
}

function prepare(conf: unknown, file = '10-x.conflist'): TemporaryDirectory {
  const place = temporaryDirectory()
  for (const name of ['etc/net.d', 'calls', 'pod']) mkdirSync(place.in(name), { recursive: true })
  writeFileSync(place.in('etc/net.d', file), JSON.stringify(conf))
  return place
}

const uuid = '0f9d9d92-3b0b-4c6b-8f0a-6a5ad2f8b1c1'
const result = (ip: string): unknown => ({ cniVersion: '1.0.0', ips: [{ address: `${ip}/24`, gateway: '10.0.0.1' }], dns: {} })
const ports: readonly PortMapping[] = [{ name: 'www', protocol: 'tcp', hostIP: '0.0.0.0', hostPort: 8080, podPort: 80, socketActivated: false }]

async function setup(place: TemporaryDirectory, flag: string): ReturnType<typeof setupNetworks> {
  return await setupNetworks({
    request: parseNetFlag([flag]),
    uuid,
    netnsPath: '/pod/ns/net',
    endNetns: '',
    localConfig: place.in('etc'),
    log: silentLog,
    ports,
    podDir: place.in('pod'),
    signal: AbortSignal.timeout(20_000),
  })
}

test('plugins of a list are called in their order, each with the result of the one before, and taken back in reverse', async (t) => {
  using place = prepare({ cniVersion: '1.0.0', name: 'x', plugins: [{ type: 'one' }, { type: 'two', key: 'value' }] })
  plugin(place, { name: 'one', answer: result('10.0.0.2') })
  plugin(place, { name: 'two', answer: result('10.0.0.3') })
  const { interfaces, teardown } = await setup(place, 'x')
  t.is(interfaces[0]?.ip, '10.0.0.3')
  for (const { argv, env, stdin } of teardown) spawnSync(argv[0] ?? '', { env: { PATH: '/usr/bin:/bin', ...env }, input: stdin })
  const common = { cniVersion: '1.0.0', name: 'x' }
  t.deepEqual(calls(place).map(({ plugin: name, env, stdin }) => [name, env['CNI_COMMAND'], env['CNI_NETNS'], stdin]), [
    ['one', 'ADD', '/pod/ns/net', { type: 'one', ...common }],
    ['two', 'ADD', '/pod/ns/net', { type: 'two', key: 'value', ...common, prevResult: result('10.0.0.2') }],
    ['two', 'DEL', '', { type: 'two', key: 'value', ...common, prevResult: result('10.0.0.3') }],
    ['one', 'DEL', '', { type: 'one', ...common, prevResult: result('10.0.0.3') }],
  ])
})

test('a plugin that fails takes the whole list back, and says why', async (t) => {
  using place = prepare({ cniVersion: '1.0.0', name: 'x', plugins: [{ type: 'one' }, { type: 'two' }, { type: 'three' }] })
  plugin(place, { name: 'one', answer: result('10.0.0.2') })
  plugin(place, { name: 'two', answer: { cniVersion: '1.0.0', code: 100, msg: 'no luck', details: 'today' }, status: 1 })
  plugin(place, { name: 'three', answer: result('10.0.0.2') })
  const error = await t.throwsAsync(setup(place, 'x'))
  t.is(errorText(error), 'failed to setup network "x": no luck; today')
  t.deepEqual(calls(place).map(({ plugin: name, env }) => `${env['CNI_COMMAND']} ${name}`), ['ADD one', 'ADD two', 'DEL three', 'DEL two', 'DEL one'])
})

test('capabilities get what the runtime knows, and no plugin gets what it has not declared', async (t) => {
  const plugins = [
    { type: 'one', capabilities: { mac: true, ips: true, portMappings: false } },
    { type: 'two', capabilities: { portMappings: true, bandwidth: true } },
  ]
  using place = prepare({ cniVersion: '1.0.0', name: 'x', plugins })
  plugin(place, { name: 'one', answer: result('10.0.0.2') })
  plugin(place, { name: 'two', answer: result('10.0.0.2') })
  await setup(place, 'x:IP=10.0.0.9/24;MAC=02-00-00-00-00-01;ingressRate=1000;ingressBurst=2000;K=V')
  const [one, two] = calls(place)
  t.deepEqual(one?.stdin['runtimeConfig'], { ips: ['10.0.0.9/24'], mac: '02:00:00:00:00:01' })
  t.deepEqual(two?.stdin['runtimeConfig'], {
    bandwidth: { ingressRate: 1000, ingressBurst: 2000 },
    portMappings: [{ hostPort: 8080, containerPort: 80, protocol: 'tcp' }],
  })
  t.is(one?.env['CNI_ARGS'], 'K=V')
  t.false('capabilities' in (two?.stdin ?? {}))
})

test('a plugin of the first contract gets its configuration as it is written, and no result', async (t) => {
  const conf = { name: 'x', type: 'one', key: [1] }
  using place = prepare(conf, '10-x.conf')
  plugin(place, { name: 'one', answer: { ip4: { ip: '10.0.0.2/24', gateway: '10.0.0.1' } } })
  const { interfaces, teardown } = await setup(place, 'x:IP=10.0.0.2')
  t.like(interfaces[0], { ip: '10.0.0.2', mask: '255.255.255.0', hostIP: '10.0.0.1', args: 'IP=10.0.0.2' })
  for (const { argv, env, stdin } of teardown) spawnSync(argv[0] ?? '', { env: { PATH: '/usr/bin:/bin', ...env }, input: stdin })
  t.deepEqual(calls(place).map(({ env, stdin }) => [env['CNI_COMMAND'], env['CNI_VERSION'], env['CNI_ARGS'], stdin]), [
    ['ADD', '0.1.0', 'IP=10.0.0.2', conf],
    ['DEL', '0.1.0', 'IP=10.0.0.2', conf],
  ])
})

test('of several versions the newest that is known is used; a plugin that does not know it is asked which it does', async (t) => {
  using place = prepare({ cniVersions: ['0.4.0', '1.1.0', '7.0.0'], cniVersion: '0.4.0', name: 'x', plugins: [{ type: 'host-local-not' }] })
  plugin(place, { name: 'host-local-not', answer: { code: 1, msg: 'incompatible CNI versions' }, status: 1 })
  const error = await t.throwsAsync(setup(place, 'x'))
  t.is(errorText(error), 'failed to setup network "x": incompatible CNI versions')
  t.deepEqual(calls(place).map(({ env }) => [env['CNI_COMMAND'], env['CNI_VERSION']]), [['ADD', '1.1.0'], ['VERSION', '1.1.0'], ['DEL', '1.1.0']])
})
