import { readFileSync } from 'node:fs'
import test from 'ava'
import { errorCodes } from '../../src/base/index.ts'

const rows = readFileSync('specs/errors.md', 'utf8')
  .split('\n')
  .filter((line) => line.startsWith('| `'))
  .map((line) => line.split('|').map((cell) => cell.trim()))

test('specs/errors.md explains every error code, in the order of the code, and no other', (t) => {
  t.deepEqual(rows.map((cells) => cells[1]?.replaceAll('`', '')), [...errorCodes])
})

test('specs/errors.md says what each error code means and what helps', (t) => {
  for (const cells of rows) {
    t.is(cells.length, 5, cells[1])
    t.true((cells[2] ?? '').length > 10 && (cells[3] ?? '').length > 5, cells[1])
  }
})
