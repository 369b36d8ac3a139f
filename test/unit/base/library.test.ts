import { existsSync } from 'node:fs'
import test from 'ava'
import { libraryFile } from '../../../src/base/index.ts'

test('libraryFile() finds what was built', (t) => {
  t.true(existsSync(libraryFile('binding.node')))
})
