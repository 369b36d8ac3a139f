import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { projectRoot } from '../support/paths.ts'

const sanitized = join(projectRoot, 'build/asan/bin/rkt')

test('pods start, talk, are entered and end with a launcher under sanitizers as with the built one', (t) => {
  const files = ['run-app', 'run-exit', 'enter-app'].map((name) => `build/js/test/functional/${name}.test.js`)
  const { status, stdout, stderr } = spawnSync('tools/run-tests', files, {
    cwd: projectRoot, encoding: 'utf8', timeout: 110_000, env: { PATH: process.env['PATH'], HOME: process.env['HOME'], RKT_TEST_PROGRAM: sanitized },
  })
  t.is(status, 0, `${stdout}${stderr}`)
  t.regex(stdout, /^[1-9]\d+ passed, 0 failed$/m)
  t.notRegex(`${stdout}${stderr}`, /Sanitizer|runtime error/)
})

test('the launcher under sanitizers has them', (t) => {
  const program = readFileSync(join(sanitized, '../../lib/rkt/launcher'))
  for (const library of ['libasan.so', 'libubsan.so']) t.true(program.includes(library), library)
})
