import test from 'ava'
import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { openStore } from '../../../src/store/index.ts'
import { filesBelow } from '../../support/files.ts'
import { openTestStore } from '../../support/store.ts'

// The steps of an import need more and more room: copy, tree, record.
for (const kilobytes of [64, 900, 1100, 2100]) {
  test(`an import into ${kilobytes} KiB ends in one line and leaves nothing`, async (t) => {
    using one = openTestStore()
    const path = one.signedAci('app')
    const data = one.place.in('small')
    mkdirSync(data)
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${kilobytes}k`, 'tmpfs', data])
    const store = openStore(data, { create: true })
    t.regex(await one.refusal(path, { store }), /^io: .*(ENOSPC|No space left|no space left)/)
    t.deepEqual(store.records(), [])
    t.deepEqual(filesBelow(join(data, 'cas')).filter((file) => !file.startsWith('imagelocks/') && !file.startsWith('treestorelocks/')), [])
    copyFileSync(path, one.place.in('copy.aci'))
    copyFileSync(`${path}.asc`, one.place.in('copy.aci.asc'))
    execFileSync('mount', ['-o', 'remount,size=64m', data])
    t.is<string, string>((await one.acquire('copy.aci', { store })).name, 'example.com/busybox')
  })
}
