import { execFileSync } from 'node:child_process'
import test from 'ava'
import { shellLayer, writeLayerImage, type LayerMembers } from '../support/oci-layers.ts'
import { openUser } from '../support/rootless-scene.ts'

test('an ordinary user runs an OCI image with its layers over each other, collects and verifies it', async (t) => {
  using user = openUser()
  const base: LayerMembers = [{ name: 'd/', type: '5', mode: 0o705, uid: 5, gid: 6 }, { name: 'd/old', content: 'old' }, { name: 'data/', type: '5', uid: 1000, gid: 1001, mode: 0o750 }, { name: 'data/x', content: 'x' }]
  const above: LayerMembers = [{ name: 'd/.wh.old' }, { name: 'd/new', content: 'new' }, { name: 'dev/mem', type: '3', major: 1, minor: 1 }]
  const layout = user.place.in('layout')
  const { reference, digest } = writeLayerImage(layout, { layers: [shellLayer, base, above], config: { User: 'app', Volumes: { '/data': {} } } })
  execFileSync('chmod', ['-R', 'a+rX', layout])
  const line = 'id -u; id -G; stat -c "%a %u %g" /d /data; ls /d /data'
  for (const flags of [[], ['--no-overlay']]) {
    const { code, stdout, stderr } = await user.rkt(['--insecure-options=image', 'run', '--rm', '--net=none', ...flags, reference, '--exec=/bin/sh', '--', '-c', line])
    t.is(code, 0, stderr)
    t.is(stdout, '1000\n1001 1002 1003\n705 5 6\n750 1000 1001\n/d:\nnew\n\n/data:\nx\n', stderr)
  }
  t.is((await user.rkt(['image', 'verify', digest])).code, 0)
  const rendered = await user.rkt(['image', 'render', '--rootfs-only', digest, user.place.in('home', 'out')])
  t.is(rendered.code, 0, rendered.stderr)
  t.is((await user.rkt(['image', 'gc', '--grace-period=0s'])).code, 0)
  t.is((await user.rkt(['image', 'list', '--no-legend'])).stdout, '\n')
})
