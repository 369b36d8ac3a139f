import test from 'ava'
import { rkt } from '../support/run.ts'
import { temporaryDirectory } from '../support/temp.ts'

test('isolation tells of every flavour whether this host can start it', async (t) => {
  using place = temporaryDirectory()
  const { code, stdout } = await rkt(['isolation', '--format=json'], { dir: place.in('data') })
  t.is(code, 0)
  const reports: unknown = JSON.parse(stdout)
  t.like(reports, [
    { name: 'fly', available: true, apps: 'one' },
    { name: 'ns', available: true, apps: 'many' },
    { name: 'oci:crun', available: true, note: '/usr/bin/crun' },
    { name: 'oci:runc', available: true },
    { name: 'oci:runsc', available: true, apps: 'one' },
    { name: 'kvm', available: true },
  ])
  const table = await rkt(['isolation'], { dir: place.in('data') })
  t.regex(table.stdout, /^ISOLATION\tAVAILABLE\tAPPS\tSTART\tMEMORY\t/)
  t.regex(table.stdout, /^ns\t+yes\t+many\t+-\t+-\t/m)
})

test('isolation --measure starts pods of each flavour, keeps what they cost and leaves nothing', async (t) => {
  using place = temporaryDirectory()
  const options = { dir: place.in('data'), env: { TMPDIR: place.path }, timeoutMs: 240_000 }
  const measured = await rkt(['isolation', '--measure'], options)
  t.is(measured.code, 0, measured.stderr)
  const { stdout } = await rkt(['isolation', '--format=json'], options)
  for (const report of JSON.parse(stdout)) {
    if (!report.available) continue
    t.true(report.start_ms > 0, report.name)
    t.true(report.memory_kib > 0, report.name)
  }
  t.deepEqual((await rkt(['-c', `ls -d '${place.path}'/rkt-isolation-* 2>/dev/null`], { program: '/bin/bash' })).stdout, '')
})
