import test from 'ava'
import { spawnSync } from 'node:child_process'
import { constants, copyFileSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { constants as system } from 'node:os'
import { libraryFile } from '../../../src/base/index.ts'
import { readCallerState, type CallerState } from '../../support/caller-state.ts'
import { rktProgram } from '../../support/paths.ts'
import { temporaryDirectory, type TemporaryDirectory } from '../../support/temp.ts'

const RLIMIT_NOFILE = 7
const RLIMIT_CORE = 4

/** A copy of the command, laid out as installed, whose bundle writes what it was given to the file of its first argument. */
function installed(): TemporaryDirectory {
  const dir = temporaryDirectory()
  mkdirSync(dir.in('bin'))
  mkdirSync(dir.in('lib/rkt'), { recursive: true })
  copyFileSync(rktProgram, dir.in('bin/rkt'))
  symlinkSync(process.execPath, dir.in('lib/rkt/node'))
  writeFileSync(
    dir.in('lib/rkt/rkt.cjs'),
    `const fs = require('node:fs')
    const state = fs.readFileSync(Number(process.env.RKT_CALLER_FD)).toString('base64')
    const status = fs.readFileSync('/proc/self/status', 'utf8')
    fs.writeFileSync(process.argv[2], JSON.stringify({ state, status, env: process.env, argv: process.argv.slice(2), fd: Number(process.env.RKT_CALLER_FD) }))`,
  )
  return dir
}

interface Seen {
  readonly state: CallerState
  readonly status: string
  readonly env: Readonly<Record<string, string>>
  readonly argv: readonly string[]
  readonly fd: number
}

/** Runs a line of bash in which `$RKT` is the command and `$OUT` the file that it is to write. */
function see(dir: TemporaryDirectory, line: string, env: Readonly<Record<string, string>> = {}): Seen {
  const out = dir.in('out')
  const { stderr, status } = spawnSync('/bin/bash', ['-c', line], {
    env: { PATH: '/usr/bin:/bin', RKT: dir.in('bin/rkt'), OUT: out, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(stderr)
  // SAFETY: the bundle above wrote it.
  const seen = JSON.parse(readFileSync(out, 'utf8')) as Omit<Seen, 'state'> & { readonly state: string }
  return { ...seen, state: readCallerState(Buffer.from(seen.state, 'base64')) }
}

test('the front-end keeps soft limits, umask, ignored signals and the flags of descriptors', (t) => {
  using dir = installed()
  const { state } = see(dir, `ulimit -Sn 123; ulimit -Sc 0; umask 027; trap '' HUP USR1; exec $RKT $OUT 5</dev/null 6>>$OUT.log`)
  t.is(state.limits.length, 16)
  t.is(state.limits[RLIMIT_NOFILE]?.soft, 123n)
  t.is(state.limits[RLIMIT_CORE]?.soft, 0n)
  t.is(state.umask, 0o027)
  for (const signal of [system.signals.SIGHUP, system.signals.SIGUSR1]) t.true(state.ignored.includes(signal))
  t.false(state.ignored.includes(system.signals.SIGTERM))
  const append = state.descriptors.find(({ fd }) => fd === 6)
  t.is((append?.statusFlags ?? 0) & constants.O_APPEND, constants.O_APPEND)
  t.is(append?.descriptorFlags, 0)
  t.true([0, 1, 2, 5, 6].every((fd) => state.descriptors.some((one) => one.fd === fd)))
})

test('a signal that the caller blocks is recorded, and not blocked in Node', (t) => {
  using dir = installed()
  const block = 'sigprocmask(SIG_BLOCK, POSIX::SigSet->new(SIGCHLD, SIGTERM)); exec @ARGV'
  const { state, status } = see(dir, `exec perl -MPOSIX -e '${block}' $RKT $OUT`)
  t.deepEqual(state.blocked, [system.signals.SIGTERM, system.signals.SIGCHLD])
  t.regex(status, /^SigBlk:\t0+$/m)
})

test('descriptors that the caller closed stay closed in the record, and the record takes none of their numbers', (t) => {
  using dir = installed()
  const { state, fd } = see(dir, 'exec $RKT $OUT <&- >&-')
  t.deepEqual(state.descriptors.filter((one) => one.fd <= 2).map((one) => one.fd), [2])
  t.true(fd > 2)
})

test('NODE_ and LD_ variables do not reach Node, but are kept under another name; those of an outer rkt are not', (t) => {
  using dir = installed()
  const { env, argv } = see(dir, '$RKT $OUT "a b" "" --require=x', {
    NODE_OPTIONS: '--require /absent',
    LD_PRELOAD: '/absent.so',
    KEPT: 'yes',
    RKT_CALLER_FD: '0',
    RKT_CALLER_ENV_OLD: 'outer',
  })
  t.is(env['NODE_OPTIONS'], undefined)
  t.is(env['LD_PRELOAD'], undefined)
  t.is(env['RKT_CALLER_ENV_NODE_OPTIONS'], '--require /absent')
  t.is(env['RKT_CALLER_ENV_LD_PRELOAD'], '/absent.so')
  t.is(env['RKT_CALLER_ENV_OLD'], undefined)
  t.is(env['KEPT'], 'yes')
  t.deepEqual(argv.slice(1), ['a b', '', '--require=x'])
})

test('the front-end finds its library behind a symbolic link', (t) => {
  using dir = installed()
  mkdirSync(dir.in('elsewhere'))
  symlinkSync(dir.in('bin/rkt'), dir.in('elsewhere/rkt'))
  t.deepEqual(see(dir, `${dir.in('elsewhere/rkt')} $OUT x`).argv.slice(1), ['x'])
})

test('a missing bundle and a missing Node are one line each, with status 254', (t) => {
  using dir = installed()
  const run = (): readonly [number | null, string] => {
    const { status, stderr } = spawnSync(dir.in('bin/rkt'), ['version'], { encoding: 'utf8' })
    return [status, stderr]
  }
  rmSync(dir.in('lib/rkt/node'))
  t.deepEqual(run(), [254, `rkt: cannot run "${dir.in('lib/rkt/node')}": No such file or directory; expected a link to Node.js 20.19 or newer\n`])
  rmSync(dir.in('lib/rkt/rkt.cjs'))
  t.deepEqual(run(), [254, `rkt: cannot read "${dir.in('lib/rkt/rkt.cjs')}": No such file or directory; expected the program of rkt; install it again\n`])
})

test('a Node that is too old is one line with status 254', (t) => {
  using dir = temporaryDirectory()
  writeFileSync(dir.in('old.cjs'), `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.18.3' } })`)
  const { status, stderr } = spawnSync(process.execPath, ['--require', dir.in('old.cjs'), libraryFile('rkt.cjs'), 'version'], { encoding: 'utf8' })
  t.is(stderr, 'rkt: cannot start with Node.js 20.18.3; expected 20.19 or newer\n')
  t.is(status, 254)
})
