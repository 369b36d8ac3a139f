import test from 'ava'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Script } from 'node:vm'
import { libraryFile } from '../../src/base/index.ts'
import { readElf } from '../support/elf.ts'
import { probe, rktProgram } from '../support/paths.ts'

const still = { hasInterpreter: false, neededLibraries: 0 }

test('the command and the launcher are static: no LD_ variable and no library of an image acts on them', (t) => {
  t.deepEqual(readElf(rktProgram), still)
  t.deepEqual(readElf(libraryFile('launcher')), still)
  t.deepEqual(readElf(libraryFile('keep-network')), still)
})

test('the probes are static, so that they run in any image', (t) => {
  for (const name of ['try-syscall', 'print-mounts', 'print-fds', 'print-status', 'ignore-sigterm', 'write-forever']) t.deepEqual(readElf(probe(name)), still, name)
})

test('readElf() tells a dynamic program from a static one', (t) => {
  t.true(readElf('/bin/sh').hasInterpreter)
  t.true(readElf('/bin/sh').neededLibraries > 0)
})

test('the code cache of the bundle fits the Node that runs it', (t) => {
  const library = dirname(libraryFile('rkt.cjs'))
  const name = readdirSync(library).find((one) => /^main-[0-9a-f]{16}\.js$/.test(one)) ?? ''
  const filename = join(library, name)
  const script = new Script(readFileSync(filename, 'latin1'), { filename, cachedData: readFileSync(filename.replace(/\.js$/, '.cache')) })
  t.false(script.cachedDataRejected)
})
