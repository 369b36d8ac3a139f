import test from 'ava'
import { writeFileSync } from 'node:fs'
import { mkdirSync } from 'node:fs'
import { openPublisher, type PublisherScene } from '../support/publisher-scene.ts'

const arch = process.arch === 'arm64' ? 'aarch64' : 'amd64'
const template = 'images.example https://images.example/files/{name}-{version}-{os}-{arch}.{ext}'
const file = `images.example/app-1.0.0-linux-${arch}.aci`
const manifest = { name: 'images.example/app', app: { exec: ['/bin/busybox', 'echo', 'hello from discovery'] } }

/** A publisher with one signed image, a page for it and its key; gives the key's fingerprint. */
function publishApp(one: PublisherScene): string {
  const key = one.gpg.generateKey({ userID: 'Publisher <publisher@images.example>' })
  one.image(file, key, { manifest })
  one.publish('images.example/keys.asc', one.gpg.exportKey(key))
  one.page('images.example', [
    ['ac-discovery', template],
    ['ac-discovery-pubkeys', 'images.example https://images.example/keys.asc'],
  ])
  return key
}

test('an image is fetched by its name: the parent speaks for it, and its signature is checked', async (t) => {
  await using one = await openPublisher()
  const key = publishApp(one)
  const untrusted = await one.rkt(['fetch', 'images.example/app:1.0.0'])
  t.is(untrusted.code, 254)
  t.regex(untrusted.stderr, /signature made by unknown entity/)
  t.deepEqual(one.keys(), [])
  const trusted = await one.rkt(['trust', '--prefix=images.example/app', '--skip-fingerprint-review'])
  t.is(trusted.code, 0, trusted.stderr)
  t.regex(trusted.stdout, /Trusting "https:\/\/images\.example\/keys\.asc" for prefix "images\.example\/app" without fingerprint review\.\nAdded key for prefix "images\.example\/app" at /)
  t.deepEqual(one.keys(), [`prefix.d/images.example/app/${key}`])
  one.asked()
  const fetched = await one.rkt(['--debug', 'fetch', 'images.example/app:1.0.0'])
  t.is(fetched.code, 0, fetched.stderr)
  t.regex(fetched.stdout, /^sha512-[0-9a-f]{32}\n$/)
  t.true(fetched.stderr.includes('image: searching for app image images.example/app\n'))
  t.true(fetched.stderr.includes(`image: remote fetching from URL "https://images.example/files/${file}"\n`))
  t.deepEqual(one.asked(), ['https images.example/app -', 'https images.example -', `https images.example/files/${file}.asc -`, `https images.example/files/${file} -`])
  const again = await one.rkt(['fetch', 'images.example/app:1.0.0'])
  t.is(again.stdout, fetched.stdout)
  t.is((await one.rkt(['fetch', '--pull-policy=new', 'images.example/app'])).stdout, fetched.stdout)
})

test('rkt run takes an image by name, from the network once and then from the store', async (t) => {
  await using one = await openPublisher()
  publishApp(one)
  const run = ['run', '--net=none', '--rm', 'images.example/app:1.0.0']
  const never = await one.rkt([...run.slice(0, 1), '--pull-policy=never', ...run.slice(1)])
  t.regex(never.stderr, /unable to fetch image from image name "images\.example\/app:1\.0\.0": either image was not found in the store/)
  t.deepEqual(one.asked(), [])
  const first = await one.rkt(['--trust-keys-from-https', ...run])
  t.is(first.code, 0, first.stderr)
  t.regex(first.stdout, /hello from discovery/)
  one.asked()
  const second = await one.rkt(run)
  t.is(second.code, 0, second.stderr)
  t.regex(second.stdout, /hello from discovery/)
  t.deepEqual(one.asked(), [])
})

test('what arrives under a name must bear it, with the labels that were asked for', async (t) => {
  await using one = await openPublisher()
  const key = publishApp(one)
  one.image(`images.example/app-2.0.0-linux-${arch}.aci`, key, { manifest })
  one.image(`images.example/liar-latest-linux-${arch}.aci`, key, { manifest })
  one.image(`images.example/app-3.0.0-linux-${arch}.aci`, key, { manifest: { ...manifest, labels: [{ name: 'os', value: 'linux' }, { name: 'arch', value: arch }] } })
  t.is((await one.rkt(['trust', '--prefix=images.example', '--skip-fingerprint-review'])).code, 0)
  const refusal = async (name: string): Promise<string> => {
    const { code, stderr } = await one.rkt(['fetch', name])
    t.is(code, 254, name)
    return stderr
  }
  t.regex(await refusal('images.example/app:2.0.0'), /requested value for label "version": "2\.0\.0" differs from fetched aci label value: "1\.0\.0"/)
  t.regex(await refusal('images.example/liar'), /its name is "images\.example\/app"; expected "images\.example\/liar"/)
  t.regex(await refusal('images.example/app:3.0.0'), /requested label "version" not provided by the image manifest/)
  t.regex(await refusal('images.example/missing'), /discovery|bad HTTP status code: 404/)
  t.is((await one.rkt(['image', 'list', '--no-legend'])).stdout, '\n')
})

test('credentials of the configuration go with every request to their host, and to no other', async (t) => {
  await using one = await openPublisher()
  publishApp(one)
  one.page('images.example', [['ac-discovery', 'images.example https://other.example/{name}.{ext}']])
  const directory = one.place.in('data.config', 'local', 'auth.d')
  mkdirSync(directory, { recursive: true })
  writeFileSync(`${directory}/x.json`, JSON.stringify({ rktKind: 'auth', rktVersion: 'v1', domains: ['images.example'], type: 'oauth', credentials: { token: 'T' } }))
  await one.rkt(['fetch', 'images.example/app'])
  t.deepEqual(one.asked(), ['https images.example/app Bearer T', 'https images.example Bearer T', 'https other.example/images.example/app.aci.asc -'])
  const shown = await one.rkt(['config', '--pretty-print=false'])
  t.is(shown.stdout, '{"stage0":[{"rktVersion":"v1","rktKind":"auth","domains":["images.example"],"type":"oauth","credentials":{"token":"T"}}]}\n')
  t.true((await one.rkt(['config'])).stdout.startsWith('{\n\t"stage0": ['))
})

test('keys that discovery finds are shown and stored after a yes on the terminal', async (t) => {
  await using one = await openPublisher()
  const key = publishApp(one)
  const no = await one.rkt(['trust', '--prefix=images.example/app'], { tty: true, input: 'no\n' })
  t.regex(no.stdout, /not trusting "https:\/\/images\.example\/keys\.asc"/)
  t.deepEqual(one.keys(), [])
  const yes = await one.rkt(['trust', '--prefix=images.example/app'], { tty: true, input: 'yes\n' })
  t.is(yes.code, 0, yes.stdout)
  t.regex(yes.stdout, /gpg key fingerprint is: /)
  t.deepEqual(one.keys(), [`prefix.d/images.example/app/${key}`])
})
