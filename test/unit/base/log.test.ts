import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { print, silentLog } from '../../../src/base/index.ts'

test('print() writes all of the text', (t) => {
  const directory = mkdtempSync('/tmp/rkt-test-log-')
  t.teardown(() => rmSync(directory, { recursive: true, force: true }))
  const fd = openSync(join(directory, 'out'), 'w')
  print(fd, 'é\n'.repeat(100_000))
  closeSync(fd)
  t.is(readFileSync(join(directory, 'out'), 'utf8'), 'é\n'.repeat(100_000))
  t.throws(() => print(fd, 'x'), { code: 'EBADF' })
})

test('silentLog says nothing', (t) => {
  t.notThrows(() => silentLog.info('x'))
  t.notThrows(() => silentLog.debug('image', 'x'))
})
