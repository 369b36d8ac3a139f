import { chmodSync, chownSync, lstatSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { openRootlessScene, ordinaryUser } from '../support/rootless-scene.ts'

const scene = await openRootlessScene({ before: 'if [ -d "$PLACE/home/shared/below" ]; then mount -t tmpfs -o mode=777 none "$PLACE/home/shared/below"; fi' })
test.after.always(() => scene[Symbol.dispose]())

/** A directory in the home, the user's own. */
function directory(name: string): string {
  const path = join(scene.home, name)
  mkdirSync(path)
  chownSync(path, ordinaryUser.id, ordinaryUser.id)
  return path
}

const volume = (source: string, more = ''): readonly string[] => [`--volume=v,kind=host,source=${source}${more}`, '--mount=volume=v,target=/v']

test.serial('files of the user are root\'s inside, and those of other users of the pod have ids of the user\'s range', async (t) => {
  const source = directory('own')
  scene.file('own/before', 'from outside\n')
  const { code, stdout, stderr } = await scene.shell('cat /v/before; stat -c %u /v/before; echo inside > /v/root; touch /v/other; chown 33:44 /v/other', { flags: volume(source) })
  t.is(code, 0, stderr)
  t.is(stdout, 'from outside\n0\n')
  t.is(readFileSync(join(source, 'root'), 'utf8'), 'inside\n')
  t.is(lstatSync(join(source, 'root')).uid, ordinaryUser.id)
  const other = lstatSync(join(source, 'other'))
  t.deepEqual([other.uid, other.gid], [ordinaryUser.firstSubordinate + 32, ordinaryUser.firstSubordinate + 43])
})

test.serial('a pod reads and writes of the host what its user may, shown as nobody\'s, and nothing else', async (t) => {
  const source = directory('mixed')
  for (const [name, mode] of [['open', 0o644], ['secret', 0o600], ['group', 0o660]] as const) {
    writeFileSync(join(source, name), `${name}\n`)
    chmodSync(join(source, name), mode)
  }
  const { stdout, stderr } = await scene.shell('stat -c %u /v/open; cat /v/open /v/secret /v/group; echo more >> /v/open; chown 0 /v/secret; chmod 666 /v/secret; true', { flags: volume(source) })
  t.is(stdout, '65534\nopen\n')
  t.is([...stderr.matchAll(/Permission denied|Operation not permitted|Invalid argument/g)].length, 5, stderr)
  t.is(readFileSync(join(source, 'open'), 'utf8'), 'open\n')
  t.is(lstatSync(join(source, 'secret')).mode & 0o777, 0o600)
  const root = await scene.shell('ls /v', { flags: volume('/root') })
  t.regex(root.stderr, /Permission denied/)
})

test.serial('what is mounted below a source comes with it, read-only where the volume is', async (t) => {
  const source = directory('shared')
  directory('shared/below')
  const shown = await scene.shell('echo x > /v/below/file && stat -f -c %T /v/below', { flags: volume(source) })
  t.is(shown.stdout, 'tmpfs\n', shown.stderr)
  const fixed = await scene.shell('echo x > /v/below/file; echo x > /v/file', { flags: volume(source, ',readOnly=true') })
  t.is([...fixed.stderr.matchAll(/Read-only file system/g)].length, 2)
  const alone = await scene.shell('true', { flags: volume(source, ',recursive=false') })
  t.is(alone.code, 254)
  t.regex(alone.stderr, /cannot mount ".*\/shared" without the mounts below it, such as ".*\/below": the kernel shows an ordinary user both or none/)
})

test.serial('empty volumes belong to whom the pod says', async (t) => {
  const { stdout } = await scene.shell('stat -c "%u %g %a" /v', { flags: ['--volume=v,kind=empty,uid=33,gid=44,mode=0750', '--mount=volume=v,target=/v'] })
  t.is(stdout, '33 44 750\n')
})

test.serial('limits without a control group of the user\'s own are refused in words, unless they are optional', async (t) => {
  const refused = await scene.shell('true', { app: ['--memory=20M'] })
  t.is(refused.code, 254)
  t.regex(refused.stderr, /an ordinary user has no control group with the memory controller here \(systemd-run --user --scope --property=Delegate=yes rkt … gives one\)/)
  const shared = await scene.shell('true', { flags: ['--private-users=false'] })
  t.is(shared.code, 254)
  t.regex(shared.stderr, /^run: cannot use --private-users=false as an ordinary user: the user ids of the host are not his to give$/m)
  const fly = await scene.shell('true', { flags: ['--isolation=fly'] })
  t.is(fly.code, 254)
  t.regex(fly.stderr, /^run: cannot use isolation "fly" as an ordinary user: it needs rights of root on the host$/m)
})
