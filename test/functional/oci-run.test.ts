import test from 'ava'
import { shellLayer, writeLayerImage, type LayerMembers, type LayoutImage } from '../support/oci-layers.ts'
import { rkt, type RunOptions, type RunResult } from '../support/run.ts'
import { temporaryDirectory } from '../support/temp.ts'

const place = temporaryDirectory()
test.after.always(() => place[Symbol.dispose]())
let images = 0

const image = (options: Omit<LayoutImage, 'layers'> & { readonly above?: readonly LayerMembers[] }): string =>
  writeLayerImage(place.in(`layout-${(images += 1)}`), { ...options, layers: [shellLayer, ...(options.above ?? [])] }).reference

const call = (args: readonly string[], options: RunOptions = {}): Promise<RunResult> => rkt(['--insecure-options=image', ...args], { dir: place.in('data'), ...options })
const run = (...args: readonly string[]): Promise<RunResult> => call(['run', '--rm', '--net=none', ...args])
const sh = (line: string): readonly string[] => ['--exec=/bin/sh', '--', '-c', line]

test('entrypoint and command run with environment, working directory and account of the config', async (t) => {
  const reference = image({
    config: {
      Entrypoint: ['/bin/sh', '-c'],
      Cmd: ['echo $FOO $HOME; pwd; id'],
      Env: ['FOO=first', 'FOO=bar', 'PATH=/bin'],
      WorkingDir: '/made/by/rkt',
      User: 'app',
    },
  })
  const { code, stdout, stderr } = await run(reference)
  t.is(code, 0, stderr)
  t.is(stdout, 'bar /root\n/made/by/rkt\nuid=1000(app) gid=1001(app) groups=1001(app),1002(extra),1003(more)\n')
})

test('users are names and numbers with and without a group, and other layers may change the accounts', async (t) => {
  const accounts: LayerMembers = [{ name: 'etc/.wh.group' }, { name: 'etc/passwd', type: '2', linkname: '../accounts' }, { name: 'accounts', content: 'app:x:7:8::/:/bin/sh\n' }]
  const cases: readonly (readonly [string, readonly LayerMembers[], string])[] = [
    ['', [], '0 0 0\n'],
    ['1000', [], '1000 1001 1001 1002 1003\n'],
    ['4242', [], '4242 0 0\n'],
    ['app:extra', [], '1000 1002 1002\n'],
    ['app:77', [], '1000 77 77\n'],
    ['app', [accounts], '7 8 8\n'],
  ]
  for (const [user, above, expected] of cases) {
    const { stdout, stderr } = await run(image({ config: { User: user }, above }), ...sh('echo $(id -u) $(id -g) $(id -G)'))
    t.is(stdout, expected, `${user}: ${stderr}`)
  }
  const unknown = await run(image({ config: { User: 'app:extra' }, above: [accounts] }), ...sh('id'))
  t.is(unknown.code, 254)
  t.regex(unknown.stderr, /"extra" group not found/)
})

test('what layers take away is not there, and directories nobody named keep the attributes of the layer below', async (t) => {
  const base: LayerMembers = [
    { name: 'secret/', type: '5', mode: 0o700, uid: 5, gid: 6 },
    { name: 'secret/deep/', type: '5', mode: 0o1777, uid: 7 },
    { name: 'secret/old', content: 'old' },
    { name: 'opaque/old', content: 'old' },
    { name: 'gone', content: 'old' },
    { name: 'turned/into/file', content: 'old' },
    { name: 'link', type: '2', linkname: 'secret' },
  ]
  const above: LayerMembers = [
    { name: 'secret/deep/new', content: 'new' },
    { name: 'opaque/.wh..wh..opq' },
    { name: 'opaque/new', content: 'new' },
    { name: '.wh.gone' },
    { name: 'turned', content: 'a file' },
    { name: 'link/', type: '5' },
  ]
  const look = sh('for p in secret secret/deep; do stat -c "%n %a %u %g" /$p; done; ls /secret /secret/deep /opaque; test -e /gone || echo no; cat /turned; ls /link | wc -l')
  const expected = '/secret 700 5 6\n/secret/deep 1777 7 0\n/opaque:\nnew\n\n/secret:\ndeep\nold\n\n/secret/deep:\nnew\nno\na file0\n'
  const reference = image({ above: [base, above] })
  for (const flags of [[], ['--no-overlay']]) {
    const { stdout, stderr } = await run(...flags, reference, '--user=0', ...look)
    t.is(stdout, expected, `${flags.join()}: ${stderr}`)
  }
  const bottom = image({ above: [[{ name: '.wh..wh..opq' }, ...shellLayer, { name: 'alone' }]] })
  t.is((await run(bottom, ...sh('ls -d /alone /bin/busybox; ls /etc'))).stdout, '/alone\n/bin/busybox\ngroup\nhostname\nhosts\nmtab\npasswd\n')
})

test('a volume begins with what all layers hold at its place, owner and mode included', async (t) => {
  const base: LayerMembers = [{ name: 'var/lib/app/', type: '5', mode: 0o750, uid: 1000, gid: 1001 }, { name: 'var/lib/app/a', content: 'a' }, { name: 'var/lib/app/b', content: 'b' }]
  const reference = image({ config: { Volumes: { '/var/lib/app': {}, '/proc': {} }, ExposedPorts: { '80/tcp': {}, '53/udp': {} } }, above: [base, [{ name: 'var/lib/app/.wh.a' }, { name: 'var/lib/app/c', content: 'c' }]] })
  for (const flags of [[], ['--no-overlay']]) {
    const { stdout, stderr } = await run(...flags, reference, ...sh('ls /var/lib/app; stat -c "%a %u %g" /var/lib/app; grep -c /var/lib/app /proc/self/mountinfo'))
    t.is(stdout, 'b\nc\n750 1000 1001\n1\n', stderr)
    t.regex(stderr, /"volume-var-lib-app"/)
  }
})

test('the stop signal of the image asks the app to end', async (t) => {
  const line = "trap 'echo got INT; exit 7' INT; echo up; while :; do sleep 0.1; done"
  const reference = image({ config: { Entrypoint: ['/bin/sh', '-c'], Cmd: [line], StopSignal: 'SIGINT' } })
  const prepared = (await call(['prepare', '--quiet', reference])).stdout.trim()
  const running = call(['run-prepared', '--net=none', prepared])
  t.is((await call(['status', '--wait-ready', prepared])).code, 0)
  t.is((await call(['stop', prepared])).code, 0)
  const { code, stdout } = await running
  t.is(code, 7)
  t.regex(stdout, /got INT/)
})

test('127 layers are run as one root, and 128 are refused', async (t) => {
  const many = (count: number): string => image({ above: Array.from({ length: count - 1 }, (_, index): LayerMembers => [{ name: `l/${index}`, content: 'x' }]) })
  const { stdout, stderr } = await run(many(127), ...sh('ls /l | wc -l'))
  t.is(stdout, '126\n', stderr)
  const refused = await call(['fetch', many(128)])
  t.is(refused.code, 254)
  t.regex(refused.stderr, /128 layers; expected at most 127/)
})

test('zstd and plain layers run as gzip ones, and another platform does not', async (t) => {
  for (const compression of ['zstd', 'none'] as const) t.is((await run(image({ compression }), ...sh('echo $0'))).stdout, '/bin/sh\n')
  const foreign = await run(image({ document: { architecture: 's390x' } }))
  t.is(foreign.code, 254)
  t.regex(foreign.stderr, /arch "s390x"/)
})

test('without a signature an OCI image is refused, and one that was let in once is refused the next time', async (t) => {
  const reference = image({})
  const strict = (...args: readonly string[]): Promise<RunResult> => rkt(args, { dir: place.in('strict') })
  const refused = await strict('run', '--net=none', reference)
  t.is(refused.code, 254)
  t.regex(refused.stderr, /it has no signature; .*\n.*rkt trust --prefix=localhost\/layout-.* or allow it once with --insecure-options=image/)
  const fetched = await rkt(['--insecure-options=image', 'fetch', reference], { dir: place.in('strict') })
  const again = await strict('run', '--net=none', '--pull-policy=never', fetched.stdout.trim())
  t.is(again.code, 254)
  t.regex(again.stderr, /it was stored with --insecure-options=image and nobody vouches for it/)
})
