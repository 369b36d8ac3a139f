import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { mountsBelow } from '../support/temp.ts'
import { openScene, shell, type Scene } from './cli-scene.ts'

/** Runs a line in a pod, exports it, and gives the exported archive's names and the directory where it was unpacked. */
async function exported(t: ExecutionContext, scene: Scene, { flags = [], line }: { readonly flags?: readonly string[]; readonly line: string }) {
  const uuidFile = scene.place.in('uuid')
  const ran = await scene.rkt(['run', '--net=none', `--uuid-file-save=${uuidFile}`, ...flags, scene.image, '--user-label=made=here', ...shell(line)])
  t.is(ran.code, 0, ran.stderr)
  const uuid = readFileSync(uuidFile, 'utf8')
  const aci = scene.place.in('out.aci')
  const { code, stderr } = await scene.rkt(['export', '--overwrite', uuid, aci])
  t.is(code, 0, stderr)
  const listing = execFileSync('tar', ['--list', '--verbose', '--numeric-owner', `--file=${aci}`], { encoding: 'utf8' })
  const manifest = JSON.parse(execFileSync('tar', ['--extract', '--to-stdout', `--file=${aci}`, 'manifest'], { encoding: 'utf8' }))
  const cat = (path: string): string => execFileSync('tar', ['--extract', '--to-stdout', `--file=${aci}`, path], { encoding: 'utf8' })
  return { uuid, aci, listing, manifest, stderr, cat }
}

const changes =
  'echo new >/new; chown 1000:2000 /new; echo more >>/etc/passwd; rm /etc/group; rm -r /old; mkdir /old; echo x >/old/fresh; ln /new /hard; ln -s /etc/passwd /soft; mkfifo /pipe'

for (const [name, flags] of Object.entries({
  'with an overlay': [],
  'without overlay': ['--no-overlay'],
  'with an overlay and no user namespace': ['--private-users=false'],
  'without overlay and without a user namespace': ['--no-overlay', '--private-users=false'],
})) {
  test(`export of a pod ${name} has its changes, with the owners that the app saw`, async (t) => {
    using scene = await openScene(t, { files: { 'old/stale': 'stale', 'etc/kept': 'kept' } })
    const { listing, manifest, cat, aci } = await exported(t, scene, { flags, line: changes })
    t.regex(listing, /^-\S+ 1000\/2000 +4 \S+ \S+ rootfs\/hard$/m)
    t.regex(listing, /^h\S+ 1000\/2000 +0 \S+ \S+ rootfs\/new link to rootfs\/hard$/m)
    t.regex(listing, /^l\S+ 0\/0 +0 \S+ \S+ rootfs\/soft -> \/etc\/passwd$/m)
    t.regex(listing, /^p\S+ 0\/0 .* rootfs\/pipe$/m)
    t.regex(listing, /rootfs\/old\/fresh$/m)
    t.notRegex(listing, /rootfs\/etc\/group|stale/)
    t.is(cat('rootfs/etc/kept'), 'kept')
    t.true(cat('rootfs/etc/passwd').endsWith('more\n'))
    t.like(manifest, { name: 'example.com/busybox', app: { exec: ['/bin/sh', '-c', changes], userLabels: { made: 'here' } } })
    t.deepEqual(mountsBelow(scene.place.path), [])
    // The exported image runs as the app did.
    const again = await scene.rkt(['run', '--net=none', aci, ...shell('cat /new && test ! -e /etc/group')])
    t.is(again.code, 0, again.stderr)
    t.true(again.stdout.includes('new'))
  })
}

test('export refuses other suffixes, pods that have not exited, and files that are there', async (t) => {
  using scene = await openScene(t, {})
  const prepared = (await scene.rkt(['prepare', scene.image])).stdout.trim()
  const out = scene.place.in('out.aci')
  t.is((await scene.rkt(['export', prepared, 'x.tar'])).stderr, 'export: extension must be .aci (given x.tar)\n')
  const refused = await scene.rkt(['export', prepared, out])
  t.is(refused.code, 254)
  t.is(refused.stderr, 'export: pod is not exited. Only exited pods can be exported\n')
  t.is((await scene.rkt(['run-prepared', '--net=none', prepared])).code, 0)
  writeFileSync(out, 'mine')
  t.is((await scene.rkt(['export', prepared, out])).stderr, 'export: target file exists (try --overwrite)\n')
  t.is(readFileSync(out, 'utf8'), 'mine')
  t.is((await scene.rkt(['export', '--overwrite', prepared, out])).code, 0)
  t.not(readFileSync(out, 'latin1'), 'mine')
})

test('export of a pod with several apps wants to know which', async (t) => {
  using scene = await openScene(t, {})
  const uuidFile = scene.place.in('uuid')
  t.is((await scene.rkt(['run', '--net=none', `--uuid-file-save=${uuidFile}`, scene.image, '--name=one', ...shell('echo 1 >/mark'), '---', scene.image, '--name=two', ...shell('echo 2 >/mark')])).code, 0)
  const uuid = readFileSync(uuidFile, 'utf8')
  const out = scene.place.in('out.aci')
  t.regex((await scene.rkt(['export', uuid, out])).stderr, /pod contains multiple apps:\n.*\tone\n.*\ttwo\n/s)
  t.is((await scene.rkt(['export', '--app=two', uuid, out])).code, 0)
  t.is(execFileSync('tar', ['--extract', '--to-stdout', `--file=${out}`, 'rootfs/mark'], { encoding: 'utf8' }), '2\n')
})

test('export follows no link of an app: host files and a replaced directory stay out of the image', async (t) => {
  using scene = await openScene(t, { files: { 'opt/mine': 'mine' } })
  mkdirSync(scene.place.in('secret'))
  writeFileSync(scene.place.in('secret', 'key'), 'host secret')
  const line = `rm -r /opt && ln -s ${scene.place.in('secret')} /opt && ln -s /proc/self/root/${scene.place.in('secret')}/key /key && ln -s / /tmp/all`
  for (const flags of [[], ['--no-overlay']]) {
    const { listing, cat } = await exported(t, scene, { flags, line })
    t.regex(listing, /^l.* rootfs\/opt -> /m)
    t.regex(listing, /^l.* rootfs\/key -> /m)
    t.regex(listing, /^l.* rootfs\/tmp\/all -> \/$/m)
    t.notRegex(listing, /rootfs\/(opt|key|tmp\/all)\/./)
    t.throws(() => cat('rootfs/opt/key'))
  }
  // The output is no way out either: a link at its place is replaced.
  const victim = scene.place.in('victim.aci')
  writeFileSync(victim, 'untouched')
  symlinkSync(victim, scene.place.in('link.aci'))
  const uuid = readFileSync(scene.place.in('uuid'), 'utf8')
  t.is((await scene.rkt(['export', '--overwrite', uuid, scene.place.in('link.aci')])).code, 0)
  t.is(readFileSync(victim, 'utf8'), 'untouched')
})

test('export leaves sockets out and says so; what lies beside them is kept', async (t) => {
  using scene = await openScene(t, {})
  const { uuid } = await exported(t, scene, { line: 'echo kept >/kept' })
  const overlay = scene.place.in('data', 'pods', 'run', uuid, 'overlay')
  const server = createServer().listen(scene.place.in('socket'))
  await once(server, 'listening')
  renameSync(scene.place.in('socket'), join(overlay, readdirSync(overlay)[0] ?? '', 'upper', 'busybox', 'run.sock'))
  server.close()
  const { code, stderr } = await scene.rkt(['export', '--overwrite', uuid, scene.place.in('out.aci')])
  t.is(code, 0)
  t.is(stderr, 'export: warning: leaving out socket "rootfs/run.sock"\n')
  const names = execFileSync('tar', ['--list', `--file=${scene.place.in('out.aci')}`], { encoding: 'utf8' }).split('\n')
  t.true(names.includes('rootfs/kept'))
  t.false(names.includes('rootfs/run.sock'))
})

test('export leaves nothing that would keep the pod from being removed', async (t) => {
  using scene = await openScene(t, {})
  const { uuid, aci } = await exported(t, scene, { line: 'true' })
  t.true(statSync(aci).size > 0)
  t.is((await scene.rkt(['rm', uuid])).code, 0)
  t.deepEqual(scene.pods(), [])
  t.deepEqual(readdirSync(scene.place.path).filter((name) => name.startsWith('.')), [])
  t.true(existsSync(aci))
})
