import test from 'ava'
import { spawnSync, type StdioOptions } from 'node:child_process'
import { closeSync, mkdirSync, openSync, readdirSync, writeFileSync } from 'node:fs'
import { libraryFile, limits } from '../../src/base/index.ts'
import { probe } from '../support/paths.ts'
import { rawAci } from '../support/raw-tar.ts'
import { temporaryDirectory } from '../support/temp.ts'

const bounds = [
  ...[`path=${limits.pathBytes}`, `name=${limits.nameBytes}`, `depth=${limits.pathDepth}`, `entries=${limits.archiveEntries}`, `header=${limits.archiveHeaderBytes}`],
  ...[`manifest=${limits.jsonBytes}`, `unpacked=${limits.unpackedBytes}`, `ratio=${limits.compressionRatio}`],
].map((bound) => `--limit-${bound}`)

/** What becomes of a system call that the confined reader of an image makes in the place of its own next one. */
function attempt(call: string, { unpack }: { readonly unpack: boolean }): string {
  using place = temporaryDirectory()
  writeFileSync(place.in('blob'), rawAci([{ name: 'rootfs/x', content: 'x' }]))
  mkdirSync(place.in('tree'))
  const fds = [openSync(place.in('blob'), 'r'), openSync(place.in('tree'), 'r')] as const
  const stdio: StdioOptions = [fds[0], 'pipe', 'pipe', 'pipe', ...(unpack ? [fds[1]] : [])]
  const words = [libraryFile('unpack'), 'aci', ...(unpack ? [] : ['--inspect']), ...bounds]
  const { stdout, stderr } = spawnSync(probe('inject-call'), [call, ...words], { env: {}, encoding: 'utf8', stdio, timeout: 20_000 })
  for (const fd of fds) closeSync(fd)
  return `${stdout}${stderr}${readdirSync(place.path).toSorted().join() === 'blob,tree' ? '' : 'something else was made'}`
}

for (const call of ['execve', 'socket', 'connect', 'ptrace', 'kill', 'mount', 'mmap-code']) {
  test(`C20: a reader of images that is made to call ${call} is killed, while it unpacks and while it looks`, (t) => {
    for (const unpack of [true, false]) t.is(attempt(call, { unpack }), 'killed by SIGSYS\n')
  })
}

for (const call of ['open-shadow', 'open-above', 'open-proc']) {
  test(`C20: a reader of images that is made to ${call.replace('-', ' ')} finds nothing: its root is the destination`, (t) => {
    t.is(attempt(call, { unpack: true }), 'result -2\n')
    t.is(attempt(call, { unpack: false }), 'killed by SIGSYS\n')
  })
}

test('C20 twin: what the reader is there for goes on: it may read the image', (t) => {
  for (const unpack of [true, false]) t.is(attempt('read-image', { unpack }), 'result 4\n')
})
