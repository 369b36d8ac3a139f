import test from 'ava'
import { copyFileSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { libraryFile } from '../../src/base/index.ts'
import { makeAci } from '../support/aci.ts'
import { projectRoot, rktProgram } from '../support/paths.ts'
import { rkt } from '../support/run.ts'
import { temporaryDirectory, type TemporaryDirectory } from '../support/temp.ts'

/** The command as installed, with another release of Node. */
function installedWith(node: string): TemporaryDirectory {
  const dir = temporaryDirectory()
  const library = dirname(libraryFile('rkt.cjs'))
  mkdirSync(dir.in('bin'))
  mkdirSync(dir.in('lib/rkt'), { recursive: true })
  copyFileSync(rktProgram, dir.in('bin/rkt'))
  for (const name of readdirSync(library)) if (name !== 'node') copyFileSync(join(library, name), dir.in('lib/rkt', name))
  symlinkSync(join(projectRoot, 'test/node-versions/node_modules', node, 'bin/node'), dir.in('lib/rkt/node'))
  return dir
}

for (const release of ['22', '24']) {
  test(`a pod runs under Node ${release}, and what the command says is read back`, async (t) => {
    using place = installedWith(`node${release}`)
    const flags = { dir: place.in('data'), program: place.in('bin/rkt') }
    const version = await rkt(['version'], { program: place.in('bin/rkt') })
    t.regex(version.stdout, new RegExp(`^Node Version: v${release}\\.`, 'm'))
    const image = makeAci({ manifest: { app: { exec: ['/bin/sh', '-c', 'echo out; echo err >&2; exit 7'] } } })
    const run = await rkt(['--insecure-options=image', 'run', '--net=none', image], flags)
    t.is(run.code, 7, run.stderr)
    t.regex(run.stdout, /out$/m)
    t.regex(run.stderr, /err$/m)
    const list = await rkt(['list', '--full', '--no-legend'], flags)
    t.regex(list.stdout, /busybox\t+example\.com\/busybox:1\.0\.0\t.*exited/)
    const gc = await rkt(['gc', '--grace-period=0s'], flags)
    t.is(gc.code, 0, gc.stderr)
  })
}
