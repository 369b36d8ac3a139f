import test from 'ava'
import { portImage, runInWorld } from '../support/network-world.ts'
import { temporaryDirectory } from '../support/temp.ts'

test('E3 E5 E6 E7 neighbours, pods and firewalls do not reach what is not theirs', (t) => {
  using place = temporaryDirectory()
  const seen = runInWorld(new URL('./e-network-probe.js', import.meta.url).href, place.in('data'), portImage())
  t.like(seen, {
    e3: {
      sentThere: true,
      published: '',
      loopbackOnly: '',
      loopbackOnlyElsewhere: '',
      positive: 'www 198.51.100.2',
      positiveLoopback: 'private 172.16.28.1',
      routeLocalnet: '0',
    },
    e5: { sent: 'sent 15', advertised: false, podUnchanged: true, reached: 'www 172.16.28.1', refused: '0', positive: true },
    e6: { forwards: '1', passing: 'neighbour 192.0.2.2', passingFromHost: 'neighbour 198.51.100.1', positive: 'www 192.0.2.2' },
    e7: {
      flushed: { published: 'www 192.0.2.2', loopbackOnly: '', loopback: 'private 172.16.28.1', rules: true, state: ['state=running'] },
      deleted: 1,
      killed: { published: '', loopbackOnly: '', loopback: '', state: ['state=running', 'degraded=the process that holds the ports and packet rules has ended'] },
    },
  })
})

test('E2 another user of the host finds nothing of a pod that it can read, connect to or change', (t) => {
  using place = temporaryDirectory()
  t.deepEqual(runInWorld(new URL('./e-files-probe.js', import.meta.url).href, place.in('data'), portImage()), {
    stranger: [],
    connected: 1,
    root: ['ports.json', 'metadata-url', 'metadata-svc.sock', 'plan'],
  })
})
