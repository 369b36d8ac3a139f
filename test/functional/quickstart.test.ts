import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import test from 'ava'
import { projectRoot } from '../support/paths.ts'
import { mountsBelow, temporaryDirectory } from '../support/temp.ts'

function quickstart(place: string): string {
  return execFileSync(join(projectRoot, 'tools/quickstart'), [place], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })
}

test('the quick start does the main job, again on what the last run left', (t) => {
  using place = temporaryDirectory()
  for (const output of [quickstart(place.path), quickstart(place.path)]) {
    t.regex(output, /signature made by unknown entity/)
    t.regex(output, /^Hello from quickstart$/m)
    t.regex(output, /signed by [0-9a-f]{40} "Quick Start <quickstart@example\.com>"/)
  }
  t.deepEqual(mountsBelow(place.path), [])
})
