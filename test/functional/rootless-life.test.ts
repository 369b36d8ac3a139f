import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { makeAci } from '../support/aci.ts'
import { openGpg } from '../support/gpg.ts'
import { shellLayer, writeLayerImage, type LayerMembers } from '../support/oci-layers.ts'
import { podDirectories, shellWords, until } from '../support/pod-scene.ts'
import { openRootlessScene, openUser, ordinaryUser } from '../support/rootless-scene.ts'

const scene = await openRootlessScene()
test.after.always(() => scene[Symbol.dispose]())

test.serial('an ordinary user trusts a key for himself, fetches by signature and runs, with no flag that names a directory', async (t) => {
  using gpg = openGpg()
  using user = openUser()
  const key = gpg.generateKey({ userID: 'Somebody <somebody@example.com>' })
  const content = readFileSync(makeAci())
  const image = user.file('busybox.aci', content)
  user.file('busybox.aci.asc', gpg.sign(content, { key }))
  const keyFile = user.file('key.asc', gpg.exportKey(key))

  const refused = await user.rkt(['run', '--net=none', image])
  t.is(refused.code, 254)
  t.regex(refused.stderr, /its key [0-9a-f]{40} is not stored/)

  const trusted = await user.rkt(['trust', '--prefix=example.com/busybox', '--skip-fingerprint-review', keyFile])
  t.is(trusted.code, 0, trusted.stderr)
  const stored = join(user.home, '.config/rkt/trustedkeys/prefix.d/example.com/busybox', key)
  t.is(statSync(stored).uid, ordinaryUser.id)

  const ran = await user.rkt(['run', '--rm', '--net=none', image, ...shellWords('id -u; cat /proc/self/uid_map')])
  t.is(ran.stderr.replaceAll(/^image: using .*\n/gm, ''), '')
  t.is(ran.code, 0)
  t.is(ran.stdout.replaceAll(/ +/g, ' '), '0\n 0 0 1\n 1 1 65536\n')
  const listed = await user.rkt(['image', 'list', '--fields=name', '--no-legend'])
  t.is(listed.stdout.trim(), 'example.com/busybox:1.0.0')
  t.is((await user.rkt(['image', 'verify', 'example.com/busybox'])).code, 0)
  t.is((await user.rkt(['image', 'rm', 'example.com/busybox'])).code, 0)
})

test.serial('a pod of an ordinary user is listed, entered, stopped, read and collected', async (t) => {
  const pod = await scene.start(['--net=none', scene.image, ...shellWords('echo to stderr >&2; echo to stdout; sleep 100')])
  await until('the output', () => pod.stdout() === 'to stdout\n')
  const listed = await scene.rkt(['list', '--no-legend', '--full'])
  t.regex(listed.stdout, new RegExp(`^${pod.uuid}\\s+busybox\\s+example.com/busybox:1.0.0\\s.*running`, 'm'))
  const entered = await scene.rkt(['enter', pod.uuid, '/bin/sh', '-c', 'cat /proc/1/comm; id -u; exit 7'])
  t.is(entered.code, 7, entered.stderr)
  t.is(entered.stdout, 'memfd:rkt-launc\n0\n')
  t.is((await scene.rkt(['stop', pod.uuid])).stdout, `"${pod.uuid}"\n`)
  t.deepEqual(await pod.end, { code: 143, signal: null })
  t.is(pod.stdout(), 'to stdout\n')
  const status = await scene.rkt(['status', pod.uuid])
  t.regex(status.stdout, /^state=exited$/m)
  t.regex(status.stdout, /^app-busybox=143$/m)
  const logs = await scene.rkt(['logs', pod.uuid])
  t.deepEqual([logs.stdout, logs.stderr], ['to stdout\n', 'to stderr\n'])
  t.is((await scene.rkt(['export', pod.uuid, 'exported.aci'])).code, 0)
  t.is(statSync(join(scene.home, 'exported.aci')).uid, ordinaryUser.id)
  t.is((await scene.rkt(['gc', '--grace-period=0s'])).code, 0)
  t.deepEqual(podDirectories(scene.data), [])
})

test.serial('exit statuses and signals reach the caller as for root', async (t) => {
  t.is((await scene.shell('exit 3')).code, 3)
  t.is((await scene.shell('kill -9 $$')).code, 137)
  t.is((await scene.shell('', { app: ['--exec=/no/such/program'] })).code, 254)
  const pod = await scene.start(['--net=none', '--rm', scene.image, ...shellWords('trap "exit 5" TERM; echo ready; while :; do sleep 0.1; done')])
  await until('the trap', () => pod.stdout() === 'ready\n')
  process.kill(pod.pid, 'SIGTERM')
  t.deepEqual(await pod.end, { code: 5, signal: null })
  t.deepEqual(podDirectories(scene.data), [])
})

test.serial('apps write files as every user of the image, and nothing of it is left', async (t) => {
  const { code, stdout } = await scene.shell('touch /tmp/a; chown 33:44 /tmp/a; chmod 4755 /tmp/a; stat -c "%u %g %a" /tmp/a; id; echo again > /dev/stdout', { app: ['--user=33', '--group=44'] })
  t.is(code, 0)
  t.is(stdout, '33 44 4755\nuid=33 gid=44 groups=44\nagain\n')
  const whole = await scene.shell('mkdir -p /d/e; touch /d/e/f; chown -R 65535:65535 /d; rm -rf /d /bin/ls; ls /bin/ls; stat -c %u /bin', { flags: ['--no-overlay'] })
  t.is(whole.stderr, 'ls: /bin/ls: No such file or directory\n')
  t.is(whole.stdout, '0\n')
  t.deepEqual(podDirectories(scene.data), [])
})

test.serial('a launcher that is killed leaves nothing that gc of the user does not find', async (t) => {
  const pod = await scene.start(['--net=none', scene.image, ...shellWords('mkdir /kept; chown 12:34 /kept; touch /kept/file; sleep 100')])
  process.kill(pod.pid, 'SIGKILL')
  t.deepEqual(await pod.end, { code: null, signal: 'SIGKILL' })
  await scene.rkt(['status', '--wait', pod.uuid])
  t.regex((await scene.rkt(['list', '--no-legend', '--full'])).stdout, new RegExp(`^${pod.uuid}.*exited`, 'm'))
  t.is((await scene.rkt(['gc', '--grace-period=0s'])).code, 0)
  t.deepEqual(podDirectories(scene.data), [])
})

test.serial('--interactive gives an ordinary user a terminal', async (t) => {
  const { code, stdout } = await scene.rkt(['--insecure-options=image', 'run', '--rm', '--net=none', '--interactive', scene.image, ...shellWords('tty; stat -c %u $(tty); echo > /dev/tty; exit 4')], { tty: true })
  t.is(code, 4)
  t.regex(stdout.replaceAll('^@', ''), /\/dev\/pts\/0\r\n0\r\n/)
})

test.serial('several apps, prepared first', async (t) => {
  const prepared = await scene.rkt(['--insecure-options=image', 'prepare', scene.image, '--name=one', ...shellWords('echo first'), '---', scene.image, '--name=two', ...shellWords('echo second')])
  t.is(prepared.code, 0, prepared.stderr)
  const uuid = prepared.stdout.trim()
  const { code, stdout } = await scene.rkt(['--insecure-options=image', 'run-prepared', '--net=none', uuid])
  t.is(code, 0)
  t.deepEqual(stdout.trim().split('\n').map((line) => line.replace(/^.*: /, '')).sort(), ['first', 'second'])
  t.is((await scene.rkt(['rm', uuid])).code, 0)
  t.deepEqual(readdirSync(join(scene.data, 'pods/run')), [])
})

test.serial('layers of an OCI image lie over each other for an ordinary user, with what they take away', async (t) => {
  const base: LayerMembers = [
    { name: 'secret/', type: '5', mode: 0o700, uid: 5, gid: 6 },
    { name: 'secret/old', content: 'old' },
    { name: 'opaque/old', content: 'old' },
    { name: 'gone', content: 'old' },
  ]
  const above: LayerMembers = [{ name: 'secret/new', content: 'new', uid: 33 }, { name: 'opaque/.wh..wh..opq' }, { name: 'opaque/new', content: 'new' }, { name: '.wh.gone' }]
  const layout = writeLayerImage(scene.place.in('layout'), { layers: [shellLayer, base, above] })
  const look = 'stat -c "%n %a %u %g" /secret /secret/*; ls /opaque; test -e /gone || echo no; busybox rm -r /secret /opaque && busybox mkdir /opaque && ls /opaque; test -e /secret || id -u'
  for (const flags of [[], ['--no-overlay']]) {
    const { code, stdout, stderr } = await scene.rkt(['--insecure-options=image', 'run', '--rm', '--net=none', ...flags, layout.reference, ...shellWords(look)])
    t.is(stdout, '/secret 700 5 6\n/secret/new 644 33 0\n/secret/old 644 0 0\nnew\nno\n0\n', stderr)
    t.is(code, 0)
  }
  t.is((await scene.rkt(['image', 'gc', '--grace-period=0s'])).code, 0)
})
