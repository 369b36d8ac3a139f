import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import { probe as probeProgram } from '../support/paths.ts'
import { temporaryDirectory } from '../support/temp.ts'

test("the appc specification's validator passes: main and sidekick in one pod, event handlers, a shared volume, isolators, metadata", (t) => {
  using place = temporaryDirectory()
  const probe = fileURLToPath(new URL('./ace-probe.js', import.meta.url))
  const argv = ['--net', '--mount', '--propagation', 'private', process.execPath, probe, place.path, probeProgram('ace-validator')]
  const seen = JSON.parse(execFileSync('unshare', argv, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'], timeout: 110_000 }))
  t.is(seen.code, 0, `${seen.stdout}${seen.stderr}${seen.said}`)
  for (const line of ['preStart OK', 'main OK', 'postStop OK', 'sidekick OK']) t.true(seen.stdout.includes(line), seen.stdout)
  t.is(seen.serviceCode, 0)
})
