import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { isRktError, type Log, silentLog } from '../../../src/base/index.ts'
import { builtinNetworks } from '../../../src/network/builtin-networks.ts'
import { parseNetFlag, planNetworks } from '../../../src/network/index.ts'
import { loadNetworks } from '../../../src/network/load-networks.ts'
import { composeNetworks, type NetworkPlan } from '../../../src/network/plan-networks.ts'

const uuid = '0f9d9d92-3b0b-4c6b-8f0a-6a5ad2f8b1c1'

function compose(...flags: string[]): NetworkPlan {
  return composeNetworks({
    request: parseNetFlag(flags),
    uuid,
    netnsPath: '/pod/netns',
    endNetns: '@pod@/netns',
    addressDir: '/leases',
    networks: builtinNetworks,
    pluginDirs: ['/a', '/b'],
    masquerade: 'plugin',
    ports: [],
    findPlugin: (type) => `/b/${type}`,
  })
}

function conf(bytes: Uint8Array): unknown {
  return JSON.parse(Buffer.from(bytes).toString())
}

test('composeNetworks() plans the default network with exact environment and standard input', (t) => {
  const [add] = compose('default:IP=172.16.28.9').adds
  t.deepEqual(add?.env, {
    CNI_VERSION: '1.0.0',
    CNI_COMMAND: 'ADD',
    CNI_CONTAINERID: uuid,
    CNI_NETNS: '/pod/netns',
    CNI_ARGS: 'IP=172.16.28.9',
    CNI_IFNAME: 'eth0',
    CNI_PATH: '/a:/b',
    PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  })
  t.deepEqual(add?.plugins.map(({ path }) => path), ['/b/ptp'])
  t.deepEqual(add?.plugins[0]?.conf, {
    cniVersion: '1.0.0',
    name: 'default',
    type: 'ptp',
    ipMasq: true,
    ipam: { type: 'host-local', subnet: '172.16.28.0/24', routes: [{ dst: '0.0.0.0/0' }], dataDir: '/leases' },
  })
})

test('composeNetworks() plans one DEL for each ADD, last first, with the same configuration', (t) => {
  const { adds, teardown } = compose('all')
  t.deepEqual(adds.map(({ network, ifName }) => [network.name, ifName]), [
    ['default', 'eth0'],
    ['default-restricted', 'eth1'],
  ])
  t.deepEqual(teardown.map(({ env }) => [env['CNI_COMMAND'], env['CNI_IFNAME'], env['CNI_NETNS']]), [
    ['DEL', 'eth1', '@pod@/netns'],
    ['DEL', 'eth0', '@pod@/netns'],
  ])
  t.deepEqual(conf(teardown[1]?.stdin ?? Buffer.from('null')), adds[0]?.plugins[0]?.conf)
  t.deepEqual(teardown[1]?.argv, ['/b/ptp'])
})

test('composeNetworks() numbers interfaces in the order of the files, not of the flag', (t) => {
  t.deepEqual(compose('default-restricted,default').adds.map(({ network }) => network.name), ['default', 'default-restricted'])
})

test('composeNetworks() plans nothing for none and host', (t) => {
  t.deepEqual([compose('none').adds, compose('host').teardown], [[], []])
})

test('composeNetworks() names every network that is not configured', (t) => {
  const error = t.throws(() => compose('x,default,y'))
  t.true(isRktError(error, 'network-setup'))
  t.is(error?.message, 'failed to setup network: networks not found: "x", "y"')
})

function withConfig(files: Readonly<Record<string, string>>, act: (localConfig: string) => void): void {
  const directory = mkdtempSync(join(tmpdir(), 'rkt-net-'))
  try {
    mkdirSync(join(directory, 'net.d'))
    for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, 'net.d', name), text)
    act(directory)
  } finally {
    rmSync(directory, { recursive: true })
  }
}

test('loadNetworks() adds files of net.d in file-name order and ignores other names', (t) => {
  withConfig({ '20-b.conf': '{"name":"b","type":"bridge"}', '10-a.conf': '{"name":"a","type":"ptp","cniVersion":"0.4.0"}', 'c.json': '{' }, (config) => {
    t.deepEqual(loadNetworks(config, silentLog).map(({ name, cniVersion }) => `${name} ${cniVersion}`), [
      'a 0.4.0',
      'b 0.1.0',
      'default-restricted 1.0.0',
      'default 1.0.0',
    ])
  })
})

test('loadNetworks() lets a file replace the default network, and the first of two files win', (t) => {
  withConfig({ '1.conf': '{"name":"default","type":"macvlan"}', '2.conf': '{"name":"default","type":"bridge"}' }, (config) => {
    const said: string[] = []
    const log: Log = { ...silentLog, notice: (_source, message) => said.push(message) }
    const networks = loadNetworks(config, log)
    t.deepEqual(networks.map(({ name, plugins }) => `${name} ${plugins[0]?.type}`), ['default macvlan', 'default-restricted ptp'])
    t.deepEqual(said, ['"default" network already defined, ignoring "2.conf"'])
  })
})

test('loadNetworks() does without net.d', (t) => {
  t.is(loadNetworks('/nonexistent', silentLog).length, 2)
})

const badConfigurations: readonly [string, RegExp][] = [
  ['{', /cannot read network configuration/],
  ['[]', /not a JSON object/],
  ['{"type":"ptp"}', /"name" is missing/],
  ['{"name":"../x","type":"ptp"}', /"name" is missing or has other characters/],
  ['{"name":"host","type":"ptp"}', /the name "host" is reserved/],
  ['{"name":"a","type":"../../bin/sh"}', /"type" is missing or not the file name/],
  ['{"name":"a","plugins":[]}', /"plugins" is not a list of 1 to 16 plugins/],
  ['{"name":"a","plugins":[{"type":"../x"}]}', /"type" is missing or not the file name/],
  ['{"name":"a","type":"ptp","cniVersion":"9.0"}', /"cniVersion" is/],
  ['{"name":"a","name":"b","type":"ptp"}', /duplicate key/],
]

for (const [text, message] of badConfigurations) {
  test(`loadNetworks() refuses ${text}`, (t) => {
    withConfig({ 'x.conf': text }, (config) => {
      const error = t.throws(() => loadNetworks(config, silentLog), { message })
      t.true(isRktError(error, 'invalid-config', 'invalid-json'))
    })
  })
}

test('planNetworks() names a plugin that is not installed', (t) => {
  withConfig({ 'x.conf': '{"name":"x","type":"no-such-plugin"}' }, (localConfig) => {
    const plan = (): unknown =>
      planNetworks({ request: parseNetFlag(['x']), uuid, netnsPath: '/n', endNetns: '/n', localConfig, log: silentLog })
    const error = t.throws(plan, { message: 'Could not find plugin "no-such-plugin"' })
    t.true(isRktError(error, 'missing-tool'))
  })
})

test('planNetworks() keeps an address directory that the configuration names', (t) => {
  const text = JSON.stringify({ name: 'x', type: 'ptp', ipam: { type: 'host-local', subnet: '10.9.0.0/24', dataDir: '/shared' } })
  withConfig({ 'x.conf': text }, (localConfig) => {
    const plan = planNetworks({ request: parseNetFlag(['x']), uuid, netnsPath: '/n', endNetns: '/n', localConfig, log: silentLog })
    t.deepEqual(plan.adds[0]?.plugins[0]?.conf, JSON.parse(text))
  })
})
