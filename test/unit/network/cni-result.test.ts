import test from 'ava'
import { parseCniResult } from '../../../src/network/cni-result.ts'
import { maskText, networksColumn, type NetInfo } from '../../../src/network/net-info.ts'

const noDns = { nameservers: [], search: [], options: [] }

function parse(result: unknown): ReturnType<typeof parseCniResult> {
  return parseCniResult(Buffer.from(JSON.stringify(result)), 'n')
}

test('parseCniResult() reads a result of version 1.0.0, IPv4 first', (t) => {
  const ips = [{ address: 'fd00::2/64', gateway: 'fd00::1' }, { address: '172.16.28.2/24', gateway: '172.16.28.1', interface: 1 }]
  t.deepEqual(parse({ cniVersion: '1.0.0', ips, dns: {} }), {
    address: { ip: '172.16.28.2', prefixLength: 24, gateway: '172.16.28.1' },
    addresses: [
      { ip: 'fd00::2', prefixLength: 64, gateway: 'fd00::1' },
      { ip: '172.16.28.2', prefixLength: 24, gateway: '172.16.28.1' },
    ],
    dns: noDns,
  })
})

test('parseCniResult() reads a result of version 0.2.0', (t) => {
  t.deepEqual(parse({ cniVersion: '0.2.0', ip4: { ip: '10.1.2.3/16' }, dns: { nameservers: ['10.1.0.1'], domain: 'd' } }), {
    address: { ip: '10.1.2.3', prefixLength: 16 },
    addresses: [{ ip: '10.1.2.3', prefixLength: 16 }],
    dns: { ...noDns, nameservers: ['10.1.0.1'], domain: 'd' },
  })
})

test('parseCniResult() accepts a result without an address', (t) => {
  t.deepEqual(parse({ interfaces: [] }), { addresses: [], dns: noDns })
})

test('parseCniResult() drops resolver words that would make lines of their own', (t) => {
  t.deepEqual(parse({ dns: { search: ['ok', 'a\nnameserver 6.6.6.6'], options: ['x y'] } }).dns, { ...noDns, search: ['ok'] })
})

for (const result of [[], { ips: [{ address: '10.0.0.1' }] }, { ips: [{ address: '10.0.0.1/33' }] }, { ip4: { ip: 'x/8' } }, { dns: { nameservers: ['evil'] } }]) {
  test(`parseCniResult() refuses ${JSON.stringify(result)}`, (t) => {
    t.throws(() => parse(result), { message: /^failed to setup network "n": cannot use the plugin's result: / })
  })
}

test('maskText() writes masks of both families', (t) => {
  t.is(maskText('10.0.0.1', 24), '255.255.255.0')
  t.is(maskText('10.0.0.1', 12), '255.240.0.0')
  t.is(maskText('10.0.0.1', 0), '0.0.0.0')
  t.is(maskText('fd00::1', 56), 'ffff:ffff:ffff:ff00:0:0:0:0')
})

test('networksColumn() joins name and address', (t) => {
  const info: NetInfo = { netName: 'default', netConf: '', pluginPath: '', ifName: 'eth0', ip: '172.16.28.2', args: '', mask: '', hostIP: '', addresses: [] }
  t.is(networksColumn([info, { ...info, netName: 'six', ip: 'fd00::1' }]), 'default:ip4=172.16.28.2, six:ip6=fd00::1')
  t.is(networksColumn([]), '')
})
