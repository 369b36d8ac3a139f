import test from 'ava'
import { binding } from '../../../src/base/index.ts'
import { unmappableSources } from '../../../src/stage1/owner-mapping.ts'

test('mapsOwners() asks the kernel', (t) => {
  t.false(binding().mapsOwners('/proc'))
  t.throws(() => binding().mapsOwners('/nonexistent'), { code: 'ENOENT' })
})

test('unmappableSources() looks at the mount that holds a source, and at those below it', (t) => {
  const mounts = [
    { mountPoint: '/', type: 'ext4' },
    { mountPoint: '/srv/proc', type: 'proc' },
    { mountPoint: '/srv/data', type: 'xfs' },
    { mountPoint: '/mnt', type: 'overlay' },
  ]
  t.deepEqual([...unmappableSources(['/srv'], mounts)], ['/srv/proc'])
  t.deepEqual([...unmappableSources(['/mnt/layer', '/home'], mounts)], ['/mnt/layer'])
})
