import test, { type ExecutionContext } from 'ava'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename } from 'node:path'
import { gzipSync } from 'node:zlib'
import { makeAuthority, serveHttps } from '../support/https.ts'
import { libraryFile } from '../../src/base/index.ts'
import { rktProgram } from '../support/paths.ts'
import { endOfArchive, rawMember } from '../support/raw-tar.ts'
import { openSignedScene, type SignedScene } from '../support/signed-scene.ts'
import { traceRkt, type TracedCall } from '../support/trace.ts'

/** What a reader would choke on, if one were let near it. */
const hostile: Readonly<Record<string, () => Buffer>> = {
  'a million nested lists as its manifest': () => imageOf(Buffer.alloc(2_000_000, '[')),
  'a manifest of one endless string': () => gzipSync(imageOf(Buffer.alloc(256 * 1024 * 1024, '"')), { level: 1 }),
  'no archive in it': () => Buffer.from('neither an archive nor an image'),
}

function imageOf(manifest: Buffer): Buffer {
  return Buffer.concat([rawMember({ name: 'manifest', content: manifest }), rawMember({ name: 'rootfs', type: '5' }), endOfArchive])
}

const unpacker = libraryFile('unpack')

function programs(calls: readonly TracedCall[]): readonly string[] {
  return calls.filter(({ name, text }) => name.startsWith('execve') && text.endsWith(' = 0')).map(({ text }) => /^"([^"]*)"/.exec(text)?.[1] ?? text)
}

/** Calls that take bytes from a file whose name matches. */
function readsOf(calls: readonly TracedCall[], path: RegExp): readonly TracedCall[] {
  return calls.filter(({ name, text }) => !['pwrite64', 'execve', 'execveat'].includes(name) && path.test(text))
}

/** The copy of an image while it is received, downloaded or copied. */
const scratchCopy = /cas\/tmp\/(work-[0-9a-f]+\/blob|partial-[0-9a-f]+)>/

/** Nobody read the copy, no program was started, and nothing is stored. */
async function assertUnread(t: ExecutionContext, one: SignedScene, { calls, what }: { readonly calls: readonly TracedCall[]; readonly what: string }): Promise<void> {
  t.deepEqual(programs(calls).map((path) => basename(path)), ['rkt', 'node'], what)
  t.deepEqual(readsOf(calls, scratchCopy), [], what)
  t.is((await one.rkt(['image', 'list', '--no-legend'])).stdout, '\n', what)
}

for (const [what, make] of Object.entries(hostile)) {
  test(`D26: an image with ${what} is refused at its signature; the trace shows that nobody opened it`, async (t) => {
    using one = await openSignedScene()
    const stranger = one.gpg.generateKey({ userID: 'Stranger <stranger@example.net>' })
    const path = one.place.in('hostile.aci')
    const content = make()
    writeFileSync(path, content)
    const signatures: Readonly<Record<string, Buffer | undefined>> = {
      'no signature': undefined,
      'a signature by a stranger': one.gpg.sign(content, { key: stranger }),
      'a signature over other bytes': one.gpg.sign(Buffer.from('other bytes'), { key: one.key }),
    }
    for (const [how, signature] of Object.entries(signatures)) {
      rmSync(`${path}.asc`, { force: true })
      if (signature !== undefined) writeFileSync(`${path}.asc`, signature)
      const { code, stdout, stderr, calls } = await traceRkt(one, ['fetch', path])
      t.is(code, 254, how)
      t.is(stdout, '', how)
      t.regex(stderr, /error opening signature file|signature made by unknown entity|cannot use image ".*hostile\.aci": .*signature/, how)
      // Bytes are taken from the image only to be copied and hashed, by pread64 of the receiving process alone.
      const reads = readsOf(calls, /hostile\.aci>/)
      t.deepEqual([...new Set(reads.map(({ name }) => name))], signature === undefined ? [] : ['pread64'], how)
      await assertUnread(t, one, { calls, what: how })
    }
    // Signed and trusted, the same bytes reach the reader, which refuses them in its sandbox and in order.
    writeFileSync(`${path}.asc`, one.gpg.sign(content, { key: one.key }))
    const { code, stderr, calls } = await traceRkt(one, ['fetch', path])
    t.is(code, 254)
    t.notRegex(stderr, /signature/)
    t.true(programs(calls).includes(unpacker))
    t.is((await one.rkt(['image', 'list', '--no-legend'])).stdout, '\n')
  })
}

test('D26: the same holds for a download: what arrived is not opened when its signature does not hold', async (t) => {
  using one = await openSignedScene()
  using authority = makeAuthority()
  const content = imageOf(Buffer.alloc(2_000_000, '['))
  const signature = one.gpg.sign(Buffer.from('other bytes'), { key: one.key })
  await using server = await serveHttps(authority, (request, response) => response.end(request.url === '/x.aci' ? content : signature))
  const { code, calls } = await traceRkt(one, ['--insecure-options=tls', 'fetch', `${server.origin}/x.aci`])
  t.is(code, 254)
  t.true(calls.some(({ name, text }) => name === 'pwrite64' && scratchCopy.test(text)))
  await assertUnread(t, one, { calls, what: 'download' })
})

test('D26 twin: a trusted image is read by one process alone, which had given everything away before its first byte', async (t) => {
  using one = await openSignedScene()
  const path = one.image('app', { busybox: false })
  const { code, calls } = await traceRkt(one, ['fetch', path])
  t.is(code, 0)
  t.deepEqual(programs(calls), [rktProgram, libraryFile('node'), unpacker])
  const exec = calls.findIndex(({ name, text }) => name === 'execve' && text.startsWith(`"${unpacker}"`))
  const child = calls[exec]?.thread
  const reads = readsOf(calls, scratchCopy)
  t.true(reads.length > 0)
  // On descriptor 0: the confined child's, which the receiving process never has.
  t.deepEqual([...new Set(reads.map(({ name, text }) => `${name} ${/^\d+/.exec(text)?.[0]}`))], ['pread64 0'])
  const firstRead = calls.findIndex((call) => call === reads[0])
  const received = calls.findLastIndex(({ name, text }) => name === 'pwrite64' && scratchCopy.test(text))
  t.true(received < exec && exec < firstRead)
  const before = calls.slice(exec, firstRead).filter(({ thread, text }) => thread === child && text.endsWith(' = 0'))
  const did = (name: string, words: RegExp): boolean => before.some((call) => call.name === name && words.test(call.text))
  t.true(did('unshare', /CLONE_NEWNS\|CLONE_NEWUTS\|CLONE_NEWIPC\|CLONE_NEWNET/))
  t.true(did('pivot_root', /./))
  t.true(did('setns', /CLONE_NEWUSER/))
  t.true(did('setresuid', /^0, 0, 0\)/))
  t.true(did('capset', /inheritable=0/))
  t.true(did('seccomp', /^SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC/))
  // Once stored, the image is not read again: the record knows the rest.
  t.true(readFileSync(path).length > 0)
  const again = await traceRkt(one, ['fetch', '--pull-policy=never', 'example.com/busybox'])
  t.is(again.code, 0)
  t.deepEqual(programs(again.calls), [rktProgram, libraryFile('node')])
  t.deepEqual(readsOf(again.calls, /cas\/blobs\/sha512\/[0-9a-f]{128}>/), [])
})
