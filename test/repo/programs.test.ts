import test from 'ava'
import { libraryFile } from '../../src/base/index.ts'
import { readElf } from '../support/elf.ts'
import { probe, rktProgram } from '../support/paths.ts'

const still = { hasInterpreter: false, neededLibraries: 0 }

test('the command and the launcher are static: no LD_ variable and no library of an image acts on them', (t) => {
  t.deepEqual(readElf(rktProgram), still)
  t.deepEqual(readElf(libraryFile('launcher')), still)
})

test('the probes are static, so that they run in any image', (t) => {
  for (const name of ['try-syscall', 'print-mounts', 'print-fds', 'print-status', 'ignore-sigterm', 'write-forever']) t.deepEqual(readElf(probe(name)), still, name)
})

test('readElf() tells a dynamic program from a static one', (t) => {
  t.true(readElf('/bin/sh').hasInterpreter)
  t.true(readElf('/bin/sh').neededLibraries > 0)
})
