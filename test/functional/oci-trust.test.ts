import { execFileSync, spawnSync } from 'node:child_process'
import { createHash, createPublicKey, generateKeyPairSync, verify } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { bundleFromJSON } from '@sigstore/bundle'
import { toSignedEntity, Verifier } from '@sigstore/verify'
import test from 'ava'
import { makeUmociLayout, skopeo, startRegistry } from '../support/docker-registry.ts'
import { openGpg } from '../support/gpg.ts'
import { rktProgram } from '../support/paths.ts'
import { placeFlags, rkt, type RunResult } from '../support/run.ts'
import { makeSigstore, someone } from '../support/sigstore.ts'
import { temporaryDirectory } from '../support/temp.ts'

const place = temporaryDirectory()
const gpg = openGpg()
const key = gpg.generateKey({ userID: 'Release <release@example.com>' })
const registry = await startRegistry(place)
const layout = makeUmociLayout(place)
writeFileSync(place.in('key.asc'), gpg.exportKey(key))
writeFileSync(place.in('key.gpg'), gpg.exportKey(key, { binary: true }))
const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
writeFileSync(place.in('key.pem'), publicKey.export({ format: 'pem', type: 'spki' }))
writeFileSync(place.in('private.pem'), privateKey.export({ format: 'pem', type: 'pkcs8' }), { mode: 0o600 })
test.after.always(async () => {
  await registry[Symbol.asyncDispose]()
  gpg[Symbol.dispose]()
  place[Symbol.dispose]()
})

let count = 0

interface Result {
  readonly status: number | null
  readonly stderr: string
}

interface Scene {
  /** `localhost:PORT/app/N`. */
  readonly repository: string
  readonly reference: string
  readonly digest: string
  readonly lookaside: string
  /** The command on a store of its own that nothing is trusted in; the lookaside is configured in podman's form. */
  call(...args: readonly string[]): Promise<RunResult>
  readonly dir: string
  /** Runs skopeo with the lookaside of this scene and a policy that wants the key's signature. */
  skopeo(...words: readonly string[]): Result
  /** As `skopeo`, with a storage of the test's own. */
  podman(verb: string, ...words: readonly string[]): Result
}

/** A new repository with the image, not signed by anybody. */
function openScene(): Scene {
  const repository = `${registry.host}/app/${(count += 1)}`
  const reference = `docker://${repository}:v1`
  skopeo(place, 'copy', '-q', '--dest-tls-verify=false', `oci:${layout}:v1`, reference)
  const [dir, lookaside] = [place.in(`data-${count}`), place.in(`lookaside-${count}`)]
  placeFlags(dir)
  const registries = `${dir}.config/local/registries.d`
  mkdirSync(registries)
  writeFileSync(`${registries}/test.yaml`, `# as podman reads it\ndocker:\n  ${repository}:\n    lookaside: file://${lookaside}\n    use-sigstore-attachments: true\n`)
  const requirement = { type: 'signedBy', keyType: 'GPGKeys', keyPath: place.in('key.gpg') }
  writeFileSync(place.in(`policy-${count}.json`), JSON.stringify({ default: [{ type: 'reject' }], transports: { docker: { [repository]: [requirement] } } }))
  const policy = place.in(`policy-${count}.json`)
  const home = place.in(`home-${count}`)
  mkdirSync(`${home}/.config/containers`, { recursive: true })
  execFileSync('cp', ['-r', registries, `${home}/.config/containers`])
  const storage = ['--root', `${home}/storage`, '--runroot', `${home}/run`, '--storage-driver=vfs', '--events-backend=none']
  const env = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', HOME: home, TMPDIR: place.path, GNUPGHOME: gpg.home }
  const start = (program: string, words: readonly string[]): Result => spawnSync(`/usr/bin/${program}`, words, { encoding: 'utf8', env })
  return {
    repository,
    reference,
    digest: skopeo(place, 'inspect', '--tls-verify=false', '--format={{.Digest}}', reference).trim(),
    lookaside,
    dir,
    call: (...args) => rkt(['--insecure-options=http', ...args], { dir, env: { GNUPGHOME: gpg.home } }),
    skopeo: (...words) => start('skopeo', [`--policy=${policy}`, `--registries.d=${registries}`, ...words]),
    podman: (verb, ...words) => start('podman', [...storage, verb, '-q', '--tls-verify=false', ...words, ...(verb === 'pull' ? [`--signature-policy=${policy}`] : [])]),
  }
}

async function trusts(scene: Scene, file: string): Promise<RunResult> {
  return await scene.call('trust', '--skip-fingerprint-review', `--prefix=${scene.repository}`, place.in(file))
}

function idOf({ stdout }: RunResult): string {
  return stdout.trim()
}

test('D1: an unsigned image of a registry and of a layout is refused, and nothing of it is stored', async (t) => {
  const scene = openScene()
  await trusts(scene, 'key.asc')
  for (const reference of [scene.reference, `oci:${layout}:v1`]) {
    const refused = await scene.call('run', '--net=none', reference)
    t.is(refused.code, 254)
    t.regex(refused.stderr, /it has no signature; expected a signature by a trusted key\n.*hint: .*rkt trust --prefix=.*--insecure-options=image/)
  }
  t.is((await scene.call('image', 'list', '--no-legend')).stdout.trim(), '')
  t.deepEqual(readdirSync(`${scene.dir}/cas/blobs/sha512`), [])
})

test('the commands that a refusal names let the image in, for every kind of signer that a policy wants', async (t) => {
  for (const kinds of [undefined, ['openpgp'], ['simple-signing'], ['sigstore-key']]) {
    const scene = openScene()
    if (kinds !== undefined) {
      mkdirSync(`${scene.dir}.config/local/policy.d`)
      writeFileSync(`${scene.dir}.config/local/policy.d/app.json`, JSON.stringify({ rktKind: 'policy', rktVersion: 'v1', prefixes: ['*'], kinds, locked: true }))
    }
    const copy = place.in(`copy-${count}`)
    execFileSync('cp', ['-r', layout, copy])
    for (const image of kinds?.[0] === 'simple-signing' ? [scene.reference] : [scene.reference, `oci:${copy}:v1`]) {
      const refused = await scene.call('fetch', image)
      t.is(refused.code, 254)
      t.is(refused.stderr.includes('--insecure-options=image'), kinds === undefined, refused.stderr)
      const commands = refused.stderr.match(/rkt [^;\n]+/g)?.filter((command) => !command.includes('--insecure')) ?? []
      t.is(commands.length, 3, refused.stderr)
      const [file, secret] = kinds?.[0] === 'sigstore-key' ? ['key.pem', 'private.pem'] : ['key.asc', '']
      const words = commands.map((command) => command.replace('KEYFILE', place.in(file)).replace('KEY.pem', place.in(secret)).split(' ').slice(1))
      for (const [verb = '', ...others] of words) {
        const { code, stderr } = await scene.call(verb, ...others, ...(verb === 'trust' ? ['--skip-fingerprint-review'] : []))
        t.is(code, 0, `${verb} ${others.join(' ')}: ${stderr}`)
      }
    }
  }
})

test('what rkt signs with OpenPGP is accepted by skopeo with a strict policy, and by rkt, only for the name that was signed', async (t) => {
  const scene = openScene()
  const copied = place.in(`copy-${count}`)
  const copy = (): Result => scene.skopeo('copy', '-q', '--src-tls-verify=false', scene.reference, `dir:${copied}`)
  t.not(copy().status, 0, 'unsigned')
  const signed = await scene.call('image', 'sign', `--key=${key}`, scene.reference)
  t.is(signed.code, 0, signed.stderr)
  t.true(existsSync(`${scene.lookaside}/${scene.repository.replace(/^[^/]*\//, '')}@${scene.digest.replace(':', '=')}/signature-1`))
  t.is(copy().status, 0, copy().stderr)
  t.is((await scene.call('fetch', scene.reference)).code, 254, 'the key is not trusted')
  t.is((await trusts(scene, 'key.asc')).code, 0)
  const run = await scene.call('run', '--net=none', scene.reference)
  t.is(run.stdout, 'from the second layer\n', run.stderr)
  skopeo(place, 'copy', '-q', '--src-tls-verify=false', '--dest-tls-verify=false', scene.reference, `docker://${scene.repository}:v2`)
  const other = await scene.call('fetch', `docker://${scene.repository}:v2`)
  t.is(other.code, 254)
  t.regex(other.stderr, /it is for "[^"]*:v1"; expected "[^"]*:v2"/)
  t.is((await scene.call('fetch', `docker://${scene.repository}@${scene.digest}`)).code, 0)
})

test('what rkt signs is pulled by podman with a strict policy, and what "podman push --sign-by" signs is accepted by rkt', async (t) => {
  const scene = openScene()
  t.not(scene.podman('pull', scene.reference).status, 0, 'unsigned')
  t.is((await scene.call('image', 'sign', `--key=${key}`, scene.reference)).code, 0)
  const pulled = scene.podman('pull', scene.reference)
  t.is(pulled.status, 0, pulled.stderr)
  await trusts(scene, 'key.asc')
  const pushed = scene.podman('push', '--remove-signatures', `--sign-by=${key}`, `${scene.repository}:v1`, `docker://${scene.repository}:v2`)
  t.is(pushed.status, 0, pushed.stderr)
  const run = await scene.call('run', '--net=none', `docker://${scene.repository}:v2`)
  t.is(run.stdout, 'from the second layer\n', run.stderr)
})

test('what "skopeo copy --sign-by" and "skopeo standalone-sign" sign is accepted', async (t) => {
  const scene = openScene()
  await trusts(scene, 'key.asc')
  const registries = `${scene.dir}.config/local/registries.d`
  const env = { PATH: '/usr/bin:/bin', HOME: place.path, TMPDIR: place.path, GNUPGHOME: gpg.home }
  execFileSync('/usr/bin/skopeo', ['--policy', place.in('accept.json'), `--registries.d=${registries}`, 'copy', '-q', '--dest-tls-verify=false', `--sign-by=${key}`, `oci:${layout}:v1`, scene.reference], { env, stdio: 'pipe' })
  const fetched = await scene.call('fetch', scene.reference)
  t.is(fetched.code, 0, fetched.stderr)

  const alone = openScene()
  await trusts(alone, 'key.asc')
  writeFileSync(place.in('manifest.json'), execFileSync('/usr/bin/skopeo', ['inspect', '--raw', '--tls-verify=false', alone.reference], { env }))
  const directory = `${alone.lookaside}/${alone.repository.replace(/^[^/]*\//, '')}@${alone.digest.replace(':', '=')}`
  mkdirSync(directory, { recursive: true })
  execFileSync('/usr/bin/skopeo', ['standalone-sign', place.in('manifest.json'), `${alone.repository}:v1`, key, '-o', `${directory}/signature-1`], { env, stdio: 'pipe' })
  t.is((await alone.call('fetch', alone.reference)).code, 0)
  rmSync(directory, { recursive: true })
  const given = await alone.call('fetch', '--pull-policy=update', alone.reference)
  t.is(given.code, 254, 'the signature is gone')
})

test('what is signed with a Sigstore key is accepted as tag and as bundle, each alone, and holds for other readers', async (t) => {
  const scene = openScene()
  const signed = await scene.call('image', 'sign', `--key=${place.in('private.pem')}`, scene.reference)
  t.is(signed.code, 0, signed.stderr)
  t.is((await trusts(scene, 'key.pem')).code, 0)
  const run = await scene.call('run', '--net=none', scene.reference)
  t.is(run.stdout, 'from the second layer\n', run.stderr)
  const listed = await scene.call('trust', 'list')
  t.regex(listed.stdout, /sha256-[0-9a-f]{64}\s.*sigstore key \(ECDSA P-256\)/)

  const raw = (tag: string): { readonly layers: readonly { readonly digest: string; readonly annotations?: Readonly<Record<string, string>> }[]; readonly manifests: readonly { readonly digest: string }[] } =>
    JSON.parse(skopeo(place, 'inspect', '--raw', '--tls-verify=false', `docker://${scene.repository}${tag}`))
  const blob = (digest: string): Buffer => execFileSync('curl', ['-sf', `http://${registry.host}/v2/${scene.repository.replace(/^[^/]*\//, '')}/blobs/${digest}`])
  const companion = scene.digest.replace(':', '-')
  const [layer] = raw(`:${companion}.sig`).layers
  const payload = blob(layer?.digest ?? '')
  t.is(JSON.parse(payload.toString()).critical.image['docker-manifest-digest'], scene.digest)
  t.true(verify('sha256', payload, createPublicKey(readFileSync(place.in('key.pem'))), Buffer.from(layer?.annotations?.['dev.cosignproject.cosign/signature'] ?? '', 'base64')))
  const [referrer] = raw(`:${companion}`).manifests
  const bundle = blob(raw(`@${referrer?.digest ?? ''}`).layers[0]?.digest ?? '')
  const material = { certificateAuthorities: [], timestampAuthorities: [], tlogs: [], ctlogs: [], publicKey: () => ({ publicKey, validFor: () => true }) }
  t.notThrows(() => new Verifier(material, { tlogThreshold: 0, ctlogThreshold: 0, timestampThreshold: 0 }).verify(toSignedEntity(bundleFromJSON(JSON.parse(bundle.toString())))))

  const again = await scene.call('image', 'sign', `--key=${place.in('private.pem')}`, scene.reference)
  t.is(again.code, 0, again.stderr)
  t.is(raw(`:${companion}.sig`).layers.length, 2, 'signatures of others stay')
})

test('a detached signature beside the image of a layout, and one that is named, are accepted', async (t) => {
  const scene = openScene()
  const copy = place.in(`layout-${count}`)
  execFileSync('cp', ['-a', layout, copy])
  const signed = await scene.call('image', 'sign', `--key=${key}`, '--detached', '--identity=example.com/tool:v1', `oci:${copy}:v1`)
  t.is(signed.code, 0, signed.stderr)
  const fetch = (...words: readonly string[]): Promise<RunResult> => scene.call('fetch', '--full', ...words)
  const refused = await fetch(`oci:${copy}:v1`)
  t.is(refused.code, 254)
  const prefix = /rkt trust --prefix=(\S+) /.exec(refused.stderr)?.[1] ?? ''
  t.is(prefix, `localhost/layout-${/layout-([0-9]+)$/.exec(copy)?.[1] ?? ''}`)
  t.is((await scene.call('trust', '--skip-fingerprint-review', '--prefix=localhost', place.in('key.asc'))).code, 0)
  const fetched = await fetch(`oci:${copy}:v1`)
  t.is(fetched.code, 0, fetched.stderr)
  const { digest } = JSON.parse(readFileSync(`${layout}/index.json`, 'utf8')).manifests.at(-1)
  writeFileSync(place.in('named.asc'), gpg.sign(readFileSync(`${layout}/blobs/${digest.replace(':', '/')}`), { key }))
  const named = await scene.call('--debug', 'fetch', '--full', `oci:${layout}:v1`, `--signature=${place.in('named.asc')}`)
  t.is(named.stdout, fetched.stdout, named.stderr)
})

test('D24: without any network a stored image is judged by what was kept, also after its key was changed', async (t) => {
  const scene = openScene()
  await scene.call('image', 'sign', `--key=${place.in('private.pem')}`, scene.reference)
  await scene.call('image', 'sign', `--key=${key}`, scene.reference)
  await trusts(scene, 'key.pem')
  const id = idOf(await scene.call('fetch', '--full', scene.reference))
  const offline = (...args: readonly string[]): { readonly status: number | null; readonly stdout: string; readonly stderr: string } =>
    spawnSync('unshare', ['-n', rktProgram, ...placeFlags(scene.dir), ...args], { encoding: 'utf8', env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' } })
  t.is(offline('run', '--net=none', '--pull-policy=never', id).stdout, 'from the second layer\n')
  const explained = JSON.parse((await scene.call('trust', 'explain', '--format=json', id)).stdout)
  t.like(explained.verdict, { signatureKind: 'sigstore-key' })
  t.is((await scene.call('trust', 'rm', explained.verdict.keyFingerprint, `--prefix=${scene.repository}`)).code, 0)
  const refused = offline('run', '--net=none', '--pull-policy=never', id)
  t.is(refused.status, 254)
  t.regex(refused.stderr, /hint: trust its key with: rkt trust /)
  await trusts(scene, 'key.asc')
  t.is(offline('run', '--net=none', '--pull-policy=never', id).stdout, 'from the second layer\n', 'the other signature was kept too')
  t.like(JSON.parse((await scene.call('trust', 'explain', '--format=json', id)).stdout).verdict, { signatureKind: 'simple-signing', keyFingerprint: key })
})

test('policies hold for OCI images: kinds, thresholds over both kinds, locks, and images that were waived before', async (t) => {
  const scene = openScene()
  const waived = idOf(await scene.call('--insecure-options=image', 'fetch', '--full', scene.reference))
  t.regex(waived, /^sha512-/)
  t.is((await scene.call('run', '--net=none', '--pull-policy=never', waived)).code, 254)
  t.true((await scene.call('trust', 'explain', waived)).stdout.endsWith(`change: rkt fetch ${scene.reference}\n`))
  t.is((await scene.call('--insecure-options=image', 'run', '--net=none', '--pull-policy=never', waived)).code, 0)
  const policy = `${scene.dir}.config/local/policy.d/app.json`
  mkdirSync(`${scene.dir}.config/local/policy.d`)
  const write = (fields: object): void => writeFileSync(policy, JSON.stringify({ rktKind: 'policy', rktVersion: 'v1', prefixes: [registry.host.replace(':', '~')], ...fields }))
  write({ locked: true })
  const locked = await scene.call('--insecure-options=image', 'run', '--net=none', '--pull-policy=never', waived)
  t.is(locked.code, 254)
  t.true(locked.stderr.includes(`policy "${policy}" is locked`), locked.stderr)
  await scene.call('image', 'sign', `--key=${place.in('private.pem')}`, scene.reference)
  await scene.call('image', 'sign', `--key=${key}`, scene.reference)
  await trusts(scene, 'key.asc')
  await trusts(scene, 'key.pem')
  for (const [fields, ok] of [
    [{ threshold: 2 }, true],
    [{ threshold: 3 }, false],
    [{ kinds: ['simple-signing'] }, true],
    [{ kinds: ['sigstore-identity', 'openpgp'] }, false],
    [{ kinds: ['simple-signing'], threshold: 2 }, false],
    [{ signers: [key] }, true],
    [{ isolation: 'ns' }, true],
  ] as const) {
    write(fields)
    const { code, stderr } = await scene.call('fetch', '--pull-policy=update', scene.reference)
    t.is(code, ok ? 0 : 254, `${JSON.stringify(fields)} ${stderr}`)
  }
  write({ isolation: 'kvm' })
  const floor = await scene.call('run', '--net=none', scene.reference)
  t.is(floor.code, 254)
  t.regex(floor.stderr, /expected kvm or stronger/)
})

test('an identity is trusted with its trust root, listed, and removed again', async (t) => {
  const scene = openScene()
  const sigstore = await makeSigstore()
  writeFileSync(place.in('root.json'), sigstore.trustRoot)
  const words = ['trust', '--skip-fingerprint-review', '--prefix=example.com/app', `--identity=${someone.subject}`, `--issuer=${someone.issuer}`]
  const without = await scene.call(...words)
  t.is(without.code, 254)
  t.regex(without.stderr, /no trust root says .*\n.*hint: name one with --trust-root=FILE/)
  const trusted = await scene.call(...words, `--trust-root=${place.in('root.json')}`)
  t.is(trusted.code, 0, trusted.stderr)
  const listed = await scene.call('trust', 'list')
  const [, id = ''] = /(identity-[0-9a-f]{64})/.exec(listed.stdout) ?? []
  t.true(listed.stdout.includes(`sigstore identity ${someone.subject} (${someone.issuer})`))
  t.is(id, `identity-${createHash('sha256').update(`${someone.issuer}\0${someone.subject}`).digest('hex')}`)
  t.is((await scene.call('trust', 'rm', id, '--prefix=example.com/app')).code, 0)
  t.is((await scene.call(...words, '--trust-root=/dev/null')).code, 254)
  const pattern = await scene.call('trust', '--skip-fingerprint-review', '--prefix=example.com/app', '--identity=.*@example.com', `--issuer=${someone.issuer}`, `--trust-root=${place.in('root.json')}`)
  t.regex(pattern.stderr, /expected the exact subject, no pattern/)
})
