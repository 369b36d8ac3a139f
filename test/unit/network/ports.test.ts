import test from 'ava'
import { parsePortFlag, resolvePorts } from '../../../src/network/index.ts'
import { conflicts } from '../../../src/network/resolve-ports.ts'
import { addressBytes } from '../../../src/network/netfilter/address.ts'
import { parseACName, type Port } from '../../../src/spec/index.ts'

function port(name: string, fields: Partial<Port> = {}): Port {
  return { name: parseACName(name), protocol: 'tcp', port: 80, count: 1, socketActivated: false, ...fields }
}

test('parsePortFlag() reads a name, an address of either family, and a port', (t) => {
  t.deepEqual(parsePortFlag('www:8080'), { name: parseACName('www'), hostPort: 8080 })
  t.deepEqual(parsePortFlag('www:192.0.2.1:8080'), { name: parseACName('www'), hostIP: '192.0.2.1', hostPort: 8080 })
  t.deepEqual(parsePortFlag('www:[2001:db8::1]:8080'), { name: parseACName('www'), hostIP: '2001:db8::1', hostPort: 8080 })
})

for (const text of ['www', 'www:', 'www:0', 'www:65536', 'www:x:80', 'www:::1:80', 'www:1.2.3:80', 'www:80 ', ':80', 'www:[1.2.3.4]:80', 'www:-1']) {
  test(`parsePortFlag() refuses ${JSON.stringify(text)}`, (t) => {
    t.throws(() => parsePortFlag(text), { message: /expected NAME:\[HOSTIP:\]HOSTPORT$/ })
  })
}

test('resolvePorts() maps a port by its name, to every address of the host unless one is named', (t) => {
  const apps = [{ ports: [port('www'), port('dns', { protocol: 'udp', port: 53 })] }]
  t.deepEqual(resolvePorts([parsePortFlag('www:8080'), parsePortFlag('dns:192.0.2.1:53')], apps), [
    { name: 'www', protocol: 'tcp', hostIP: '0.0.0.0', hostPort: 8080, podPort: 80, socketActivated: false },
    { name: 'dns', protocol: 'udp', hostIP: '192.0.2.1', hostPort: 53, podPort: 53, socketActivated: false },
  ])
})

test('resolvePorts() maps a range, and one port of it by its index', (t) => {
  const apps = [{ ports: [port('many', { port: 9000, count: 3 })] }]
  t.deepEqual(resolvePorts([parsePortFlag('many:7000')], apps).map(({ hostPort, podPort }) => [hostPort, podPort]), [[7000, 9000], [7001, 9001], [7002, 9002]])
  t.deepEqual(resolvePorts([parsePortFlag('many-2:7000')], apps).map(({ hostPort, podPort }) => [hostPort, podPort]), [[7000, 9002]])
  t.throws(() => resolvePorts([parsePortFlag('many-3:7000')], apps), { message: 'port name "many-3" could not be found in any apps' })
})

test('resolvePorts() refuses names that no app or several have', (t) => {
  t.throws(() => resolvePorts([parsePortFlag('x:1')], []), { message: 'port name "x" could not be found in any apps' })
  t.throws(() => resolvePorts([parsePortFlag('www:1')], [{ ports: [port('www')] }, { ports: [port('www')] }]), { message: 'port name "www" is used by several apps; expected one' })
})

test('resolvePorts() refuses a port of the host that leads to two places', (t) => {
  const apps = [{ ports: [port('a'), port('b', { port: 81 }), port('c', { protocol: 'udp' })] }]
  t.throws(() => resolvePorts([parsePortFlag('a:8080'), parsePortFlag('b:127.0.0.1:8080')], apps), { message: 'port tcp-127.0.0.1:8080 already mapped to pod port 80' })
  t.is(resolvePorts([parsePortFlag('a:192.0.2.1:8080'), parsePortFlag('b:127.0.0.1:8080'), parsePortFlag('c:8080')], apps).length, 3)
})

test('resolvePorts() refuses a protocol that is not forwarded, and a range that is too long', (t) => {
  t.throws(() => resolvePorts([parsePortFlag('a:1')], [{ ports: [port('a', { protocol: 'sctp' })] }]), { message: /its protocol is "sctp"; expected tcp or udp$/ })
  t.throws(() => resolvePorts([parsePortFlag('a:65535')], [{ ports: [port('a', { count: 2 })] }]), { message: /the last is above 65535$/ })
  t.throws(() => resolvePorts([parsePortFlag('a:1')], [{ ports: [port('a', { count: 1000 })] }]), { message: /more than 512 ports/ })
})

test('every address of the host conflicts with each', (t) => {
  const one = { protocol: 'tcp', hostIP: '192.0.2.1', hostPort: 80 } as const
  t.true(conflicts(one, { ...one, hostIP: '0.0.0.0' }))
  t.true(conflicts({ ...one, hostIP: '::' }, one))
  t.false(conflicts(one, { ...one, hostIP: '192.0.2.2' }))
  t.false(conflicts(one, { ...one, protocol: 'udp' }))
})

test('addressBytes() reads addresses of both families', (t) => {
  t.deepEqual([...addressBytes('192.0.2.1')], [192, 0, 2, 1])
  t.is(addressBytes('2001:db8::1').toString('hex'), '20010db8000000000000000000000001')
  t.is(addressBytes('::').toString('hex'), '0'.repeat(32))
  t.is(addressBytes('::ffff:192.0.2.1').toString('hex'), '00000000000000000000ffffc0000201')
})
