import test from 'ava'
import { openSignedScene } from '../support/signed-scene.ts'

const quiet = ['--rm', '--net=none'] as const
const echo = (name: string): { readonly manifest: { readonly name: string; readonly app: { readonly exec: readonly string[] } } } => ({
  manifest: { name, app: { exec: ['/bin/busybox', 'echo', `this is ${name}`] } },
})

test('D5: an image that calls itself by a name of its own signer is refused where another name is expected, from a file and from the store', async (t) => {
  using one = await openSignedScene()
  const other = one.gpg.generateKey({ userID: 'Other <other@other.example>' })
  await one.trust('other.example', other)
  const impostor = one.image('x', echo('other.example/app'), other)
  const expecting = ['--expect-name=example.com/app']
  for (const words of [['fetch', impostor, ...expecting], ['run', ...quiet, impostor, ...expecting], ['prepare', impostor, ...expecting]]) {
    const refused = await one.rkt(words)
    t.is(refused.code, 254)
    t.is(refused.stdout, '')
    t.regex(refused.stderr, /cannot use image: its name is "other\.example\/app"; expected "example\.com\/app"/)
    t.is((await one.rkt(['image', 'list', '--no-legend'])).stdout, '\n')
  }
  // Nobody expects another name: the key is trusted for the name that the image gives itself.
  t.is((await one.rkt(['run', ...quiet, impostor])).stdout, 'this is other.example/app\n')
  const stored = await one.rkt(['run', ...quiet, 'other.example/app', ...expecting])
  t.is(stored.code, 254)
  t.regex(stored.stderr, /expected "example\.com\/app"/)
})

test('D5 twin: the expected name, version and labels let the image run, and its verdict says that the name was asked for', async (t) => {
  using one = await openSignedScene()
  const path = one.image('app', echo('example.com/app'))
  const expected = '--expect-name=example.com/app:1.0.0,os=linux'
  t.is((await one.rkt(['run', ...quiet, path, expected])).stdout, 'this is example.com/app\n')
  const { verdict } = JSON.parse((await one.rkt(['trust', 'explain', '--format=json', 'example.com/app'])).stdout)
  t.is(verdict.nameSource, 'requested')
  const version = await one.rkt(['run', ...quiet, path, '--expect-name=example.com/app:2.0.0'])
  t.is(version.code, 254)
  t.regex(version.stderr, /requested value for label "version": "2\.0\.0" differs from fetched aci label value: "1\.0\.0"/)
  t.regex((await one.rkt(['fetch', path, '--expect-name=./app.aci'])).stderr, /cannot expect "\.\/app\.aci": it is not an image name/)
  t.regex((await one.rkt(['fetch', '--expect-name=example.com/app', path])).stderr, /--expect-name must follow an image/)
})
