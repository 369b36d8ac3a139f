import test from 'ava'
import { portImage, runInWorld } from '../support/network-world.ts'
import { temporaryDirectory } from '../support/temp.ts'

test('published ports are reached from outside, from the host and over loopback, and end with the pod', (t) => {
  using place = temporaryDirectory()
  const seen = runInWorld(new URL('./ports-probe.js', import.meta.url).href, place.in('data'), portImage())
  t.like(seen, {
    open: {
      outside: 'www 192.0.2.2',
      ownAddress: 'www 172.16.28.1',
      gateway: 'www 172.16.28.1',
      loopback: 'www 172.16.28.1',
      otherLoopback: 'www 172.16.28.1',
      loopback6: 'www 172.16.28.1',
      udpOutside: 'dns 192.0.2.2',
      udpOwn: 'dns 172.16.28.1',
      udpLoopback: 'dns 172.16.28.1',
      range: ['many-9000 192.0.2.2', 'many-9001 192.0.2.2', 'many-9002 192.0.2.2'],
      oneAddress: 'many-9001 198.51.100.2',
      notOtherAddress: '',
      notLoopback: '',
    },
    ports:
      'ports=www:tcp=0.0.0.0:8080>172.16.28.2:80, dns:udp=0.0.0.0:5300>172.16.28.2:5353, many:tcp=0.0.0.0:7000>172.16.28.2:9000, ' +
      'many:tcp=0.0.0.0:7001>172.16.28.2:9001, many:tcp=0.0.0.0:7002>172.16.28.2:9002, many-1:tcp=198.51.100.1:7500>172.16.28.2:9001',
    hairpin: 'www 172.16.28.1',
    takenByPod: { code: 254 },
    takenByHost: { code: 254, stderr: ['run: cannot expose tcp port 0.0.0.0:8081: another program of this host uses it', "run: hint: this shows which: ss --tcp --listening --processes 'sport = :8081'", ''] },
    race: [0, 254, 254, 254],
    raceWords: true,
    nowhere: { code: 254, stderr: ['stage1: cannot expose tcp port 203.0.113.9:80: no interface of this host has this address', ''] },
    onHost: { code: 254, stderr: ["run: --port flag does not work with 'host' networking", ''] },
    unnamed: { code: 254, stderr: ['run: port name "nope" could not be found in any apps', 'run: hint: the apps have www, dns, many', ''] },
    ended: { answer: '', rules: '', sockets: '' },
    six: { outside: 'www 2001:db8:1::2', outside4: 'www 192.0.2.2', loopback: 'www fd77::1', udp: 'dns 2001:db8:1::2' },
    killed: { rules: false, sockets: '' },
    old: { outside: 'www 192.0.2.2', ownAddress: 'www 172.16.28.1', loopback: 'www 172.16.28.1', rules: true },
    oldEnded: { rules: false, sockets: '' },
    chained: { outside: 'www 192.0.2.2', link: '02:00:00:00:00:01', networks: 'chain:ip4=10.78.0.2, default-restricted:ip4=172.31.0.2', rules: true },
    chainEnded: { rules: false, links: false },
  })
  t.regex(JSON.stringify(seen), /"ports":\[\{"name":"www","protocol":"tcp","hostIP":"0\.0\.0\.0","hostPort":8080,"podIP":"172\.16\.28\.2","podPort":80\}/)
  t.regex(JSON.stringify(seen), /cannot expose tcp port 127\.0\.0\.1:8080: pod \\"[-0-9a-f]{36}\\" has it/)
})
