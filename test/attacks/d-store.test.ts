import test from 'ava'
import { chmodSync, chownSync, cpSync, existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeAuthority, serveHttps } from '../support/https.ts'
import { openPublisher } from '../support/publisher-scene.ts'
import { projectRoot, rktProgram } from '../support/paths.ts'
import { rkt } from '../support/run.ts'
import { openSignedScene, type SignedScene } from '../support/signed-scene.ts'
import { receiveSignature } from '../../src/fetch/index.ts'
import { silentLog } from '../../src/base/index.ts'
import { refusalOf } from '../support/store.ts'

const quiet = ['--rm', '--net=none'] as const
const says = (text: string): { readonly manifest: { readonly app: { readonly exec: readonly string[] } } } => ({ manifest: { app: { exec: ['/bin/busybox', 'echo', text] } } })

/** The one file below a directory of the store. */
function onlyFile(one: SignedScene, ...names: readonly string[]): string {
  const directory = one.place.in('data', 'cas', ...names)
  const [name = ''] = readdirSync(directory).filter((file) => !file.endsWith('.asc'))
  return join(directory, name)
}

function flip(path: string): void {
  const bytes = readFileSync(path)
  const at = bytes.length >> 1
  bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at)
  writeFileSync(path, bytes)
}

test('D11: whatever becomes of the confined reader, nothing is stored unless it ended well with a whole answer', async (t) => {
  using one = await openSignedScene()
  const image = one.image('app', says('sound'))
  cpSync(join(projectRoot, 'build/bin'), one.place.in('bin'), { recursive: true })
  cpSync(join(projectRoot, 'build/lib'), one.place.in('lib'), { recursive: true, verbatimSymlinks: true })
  const [reader, program] = [one.place.in('lib', 'rkt', 'unpack'), one.place.in('bin', 'rkt')]
  const whole = '{\\"sha512\\":\\"%0128d\\",\\"unpackedBytes\\":1,\\"entries\\":2,\\"treeHash\\":\\"%0128d\\",\\"manifestBase64\\":\\"\\"}\\n'
  const endings: Readonly<Record<string, string>> = {
    'killed by SIGKILL': 'kill -KILL $$',
    'out of memory': 'ulimit -v 1000; exec /usr/bin/gzip --help',
    'an abort': 'kill -ABRT $$',
    'OK and status 1': 'echo OK; echo OK >&3; exit 1',
    'status 0 and no answer': 'exit 0',
    'status 0 and half an answer': `printf '{"sha512":"' >&3; exit 0`,
    'status 0 and no manifest': `printf "${whole}" 0 0 >&3; exit 0`,
    'a whole answer and status 1': `printf "${whole}" 0 0 >&3; exit 1`,
    'an endless answer': 'while :; do echo "                                                                " >&3; done',
  }
  for (const [what, line] of Object.entries(endings)) {
    rmSync(reader)
    writeFileSync(reader, `#!/bin/sh\n${line}\n`, { mode: 0o755 })
    const { code, stdout, stderr } = await one.rkt(['fetch', image], { program })
    t.is(code, 254, what)
    t.is(stdout, '', what)
    t.regex(stderr, /^fetch: /, what)
    t.is((await one.rkt(['image', 'list', '--no-legend'])).stdout, '\n', what)
    t.deepEqual(readdirSync(one.place.in('data', 'cas', 'tree')), [], what)
  }
  cpSync(join(projectRoot, 'build/lib/rkt/unpack'), reader)
  t.is((await one.rkt(['run', ...quiet, image], { program })).stdout, 'sound\n')
})

test('D12: a damaged keystore trusts nobody: each refusal names the file, and the repaired one trusts again', async (t) => {
  using one = await openSignedScene()
  const image = one.image('app', { busybox: false })
  const directory = one.place.in('data.config', 'local', 'trustedkeys', 'prefix.d', 'example.com')
  const key = join(directory, one.key)
  const content = readFileSync(key)
  const repair = (): void => (rmSync(key, { force: true }), writeFileSync(key, content, { mode: 0o644 }), chmodSync(directory, 0o755))
  const damages: Readonly<Record<string, () => void>> = {
    'a key that everybody may write': () => chmodSync(key, 0o666),
    'a key of another owner': () => chownSync(key, 1000, 1000),
    'a directory that everybody may write': () => chmodSync(directory, 0o777),
    'half a key': () => writeFileSync(key, content.subarray(0, content.length >> 1)),
    'a key under another fingerprint': () => renameSync(key, join(directory, 'f'.repeat(40))),
  }
  for (const [what, damage] of Object.entries(damages)) {
    damage()
    const { code, stderr } = await one.rkt(['fetch', image])
    t.is(code, 254, what)
    t.true(stderr.includes(directory), `${what}: ${stderr}`)
    t.is((await one.rkt(['image', 'list', '--no-legend'])).stdout, '\n', what)
    rmSync(join(directory, 'f'.repeat(40)), { force: true })
    repair()
  }
  // An empty file is the mask of an administrator, and no key at all is no trust.
  writeFileSync(key, '')
  t.regex((await one.rkt(['fetch', image])).stderr, /made by unknown entity|masked/)
  repair()
  t.is((await one.rkt(['fetch', image])).code, 0)
})

test('D15: a name that leads back to an older signed build is told of; an ID stays what it is', async (t) => {
  await using one = await openPublisher()
  const key = one.gpg.generateKey({ userID: 'Publisher <publisher@images.example>', time: '20250101T000000' })
  one.publish('images.example/keys.asc', one.gpg.exportKey(key))
  one.page('images.example', [
    ['ac-discovery', 'images.example https://images.example/files/app-{version}.{ext}'],
    ['ac-discovery-pubkeys', 'images.example https://images.example/keys.asc'],
  ])
  t.is((await one.rkt(['trust', '--prefix=images.example', '--skip-fingerprint-review'])).code, 0)
  const publish = (text: string, time: string): void => {
    const file = 'app-latest.aci'
    one.image(file, key, { manifest: { name: 'images.example/app', app: { exec: ['/bin/busybox', 'echo', text] } } })
    const content = readFileSync(one.place.in('site', 'images.example', 'files', file))
    one.publish(`images.example/files/${file}.asc`, one.gpg.sign(content, { key, time }))
  }
  publish('new', '20250301T000000')
  const first = await one.rkt(['fetch', '--full', 'images.example/app'])
  t.is(first.code, 0, first.stderr)
  t.is(first.stderr, '')
  publish('old', '20250201T000000')
  const back = await one.rkt(['fetch', '--full', 'images.example/app'])
  t.is(back.code, 0)
  t.not(back.stdout, first.stdout)
  t.regex(back.stderr, /^image: warning: "images\.example\/app:1\.0\.0" was signed at 2025-02-01T00:00:00\.000Z, before the stored "sha512-[0-9a-f]{64}" \(2025-03-01T00:00:00\.000Z\): the server may offer an old build\n$/)
  t.is((await one.rkt(['run', ...quiet, first.stdout.trim()])).stdout, 'new\n')
  publish('newer', '20250401T000000')
  t.is((await one.rkt(['fetch', 'images.example/app'])).stderr, '')
})

test('D17: a server that answers differently the second time is asked once; a changed end of a resumed download is refused', async (t) => {
  using one = await openSignedScene()
  using authority = makeAuthority()
  const path = one.image('app', says('good'))
  const [good, signature] = [readFileSync(path), readFileSync(`${path}.asc`)]
  const evil = Buffer.from(good)
  evil.writeUInt8(evil.readUInt8(evil.length - 100) ^ 1, evil.length - 100)
  let asked = 0
  await using fickle = await serveHttps(authority, (request, response) => {
    if (request.url === '/app.aci.asc') return response.end(signature)
    asked += 1
    return response.end(asked === 1 ? good : evil)
  })
  const insecure = '--insecure-options=tls'
  t.is((await one.rkt([insecure, 'run', ...quiet, `${fickle.origin}/app.aci`])).stdout, 'good\n')
  t.is(asked, 1)
  t.is((await one.rkt(['image', 'rm', 'example.com/busybox'])).code, 0)

  // The tag says that it is the same file: what counts is the hash over all of it.
  const half = good.length >> 1
  let ranges = 0
  let rest = evil
  await using broken = await serveHttps(authority, (request, response) => {
    if (request.url === '/app.aci.asc') return response.end(signature)
    response.setHeader('ETag', '"same"').setHeader('Accept-Ranges', 'bytes')
    const from = /^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1]
    if (from === undefined) {
      response.writeHead(200, { 'Content-Length': good.length }).write(good.subarray(0, half), () => setTimeout(() => response.destroy(), 200))
      return
    }
    ranges += 1
    const tail = rest.subarray(Number(from))
    return response.writeHead(206, { 'Content-Range': `bytes ${from}-${good.length - 1}/${good.length}`, 'Content-Length': tail.length }).end(tail)
  })
  const fetch = () => one.rkt([insecure, 'fetch', `${broken.origin}/app.aci`])
  t.regex((await fetch()).stderr, /cannot fetch/)
  const refused = await fetch()
  t.is(refused.code, 254)
  t.regex(refused.stderr, /signature/)
  t.is(ranges, 1)
  t.is((await one.rkt(['image', 'list', '--no-legend'])).stdout, '\n')
  rest = good
  t.is((await fetch()).code, 254)
  t.is((await fetch()).code, 0)
  t.is(ranges, 2)
})

test('D18: after a good fetch, a flipped byte in the blob or the record stops the next run; in the tree, image verify finds and repairs it', async (t) => {
  for (const place of [['blobs', 'sha512'], ['images']]) {
    using one = await openSignedScene()
    const image = one.image('app', says('sound'))
    t.is((await one.rkt(['run', ...quiet, image])).stdout, 'sound\n')
    const path = onlyFile(one, ...place)
    const before = readFileSync(path)
    flip(path)
    for (const words of [['run', ...quiet, 'example.com/busybox'], ['prepare', '--pull-policy=never', 'example.com/busybox']]) {
      const { code, stdout } = await one.rkt(words)
      t.is(code, 254, place.join('/'))
      t.is(stdout, '')
    }
    writeFileSync(path, before)
    t.is((await one.rkt(['run', ...quiet, 'example.com/busybox'])).stdout, 'sound\n')
  }
  using one = await openSignedScene()
  t.is((await one.rkt(['fetch', one.image('app', says('sound'))])).code, 0)
  const shell = join(onlyFile(one, 'tree'), 'rootfs/bin/busybox')
  flip(shell)
  t.regex((await one.rkt(['image', 'verify', 'example.com/busybox'])).stderr, /"rootfs\/bin\/busybox" is changed; {2}rebuilding/)
  t.is((await one.rkt(['run', ...quiet, 'example.com/busybox'])).stdout, 'sound\n')
})

test('D24: without any network, an image with signature and key present is verified and runs, and an unsigned one is refused', async (t) => {
  using one = await openSignedScene()
  const program = one.place.in('offline')
  writeFileSync(program, `#!/bin/sh\nexec unshare --net -- ${rktProgram} "$@"\n`, { mode: 0o755 })
  const image = one.image('app', says('offline'))
  t.is((await one.rkt(['run', ...quiet, image], { program })).stdout, 'offline\n')
  t.is((await one.rkt(['run', ...quiet, 'example.com/busybox'], { program })).stdout, 'offline\n')
  rmSync(`${image}.asc`)
  t.is((await one.rkt(['run', ...quiet, image], { program })).code, 254)
  const missing = await one.rkt(['fetch', 'nowhere.example/app'], { program })
  t.is(missing.code, 254)
  t.regex(missing.stderr, /^fetch: /)
})

test('D25: a signature server that sends a byte at a time, or nothing, is given up at the limit', async (t) => {
  using authority = makeAuthority()
  await using server = await serveHttps(authority, (request, response) => {
    if (request.url === '/silent.asc') return
    response.writeHead(200)
    const drip = setInterval(() => response.write('-'), 100)
    response.on('close', () => clearInterval(drip))
  })
  const options = { signal: new AbortController().signal, log: silentLog, userAgent: 'rkt', insecure: { tls: false, http: false }, caFiles: [authority.caFile], idleMs: 600 }
  for (const file of ['silent', 'slow']) {
    const before = Date.now()
    t.regex(await refusalOf(() => receiveSignature(`${server.origin}/${file}.asc`, options)), /^timeout: cannot fetch /)
    // A busy machine is slow; without a limit this would never end.
    t.true(Date.now() - before < 30_000)
  }
})

test('D27: what a member of the store group puts into the store is not used by root, by name or by ID; what root stored is', async (t) => {
  using one = await openSignedScene()
  t.is((await one.rkt(['fetch', one.image('app', says('genuine'))])).code, 0)
  const forged = { dir: one.place.in('forged') }
  const name = 'example.com/forged'
  const made = await rkt(['--insecure-options=image', 'fetch', '--full', one.image('forged', { manifest: { name, app: { exec: ['/bin/busybox', 'echo', 'forged'] } } })], forged)
  t.is(made.code, 0, made.stderr)
  for (const place of ['images', 'blobs/sha512']) {
    for (const file of readdirSync(join(forged.dir, 'cas', place))) {
      const target = one.place.in('data', 'cas', place, file)
      if (existsSync(target)) continue
      cpSync(join(forged.dir, 'cas', place, file), target)
      chownSync(target, 65_534, 65_534)
    }
  }
  for (const reference of [name, made.stdout.trim()]) {
    const { code, stdout } = await one.rkt(['run', ...quiet, '--pull-policy=never', reference])
    t.is(code, 254, reference)
    t.is(stdout, '')
  }
  t.is((await one.rkt(['run', ...quiet, 'example.com/busybox'])).stdout, 'genuine\n')
})
