import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import test from 'ava'
import { rktProgram } from '../support/paths.ts'
import { rkt } from '../support/run.ts'
import { temporaryDirectory } from '../support/temp.ts'

const names = ['rkt-api-tcp.socket', 'rkt-api.service', 'rkt-gc.service', 'rkt-gc.timer', 'rkt-metadata.service', 'rkt-metadata.socket']

test('systemd finds nothing wrong with the units, and they start commands that there are', async (t) => {
  using place = temporaryDirectory()
  mkdirSync(place.in('bin'))
  symlinkSync(rktProgram, place.in('bin', 'rkt'))
  t.deepEqual(readdirSync('units').sort(), names)
  for (const name of names) {
    const text = readFileSync(`units/${name}`, 'utf8')
    writeFileSync(place.in(name), text.replaceAll('@bindir@', place.in('bin')))
    for (const [, verb = ''] of text.matchAll(/^ExecStart=@bindir@\/rkt ((?:image )?\S+)/gm)) {
      t.is((await rkt([...verb.split(' '), '--help'])).code, 0, verb)
    }
  }
  const { code, stderr } = await rkt(['verify', '--man=no', ...names.map((name) => place.in(name))], { program: '/usr/bin/systemd-analyze' })
  t.is(stderr, '')
  t.is(code, 0)
})
