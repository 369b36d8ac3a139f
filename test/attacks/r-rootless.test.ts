import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { makeAci } from '../support/aci.ts'
import { openGpg } from '../support/gpg.ts'
import { probe } from '../support/paths.ts'
import { podDirectories, shellWords, until } from '../support/pod-scene.ts'
import { openRootlessScene, ordinaryUser } from '../support/rootless-scene.ts'

const scene = await openRootlessScene({ files: { '/bin/print-fds': { copy: probe('print-fds') }, '/bin/print-status': { copy: probe('print-status') } } })
test.after.always(() => scene[Symbol.dispose]())

/** Whether some other user of the host may run `test` on a path. */
function othersMay(flag: string, path: string): boolean {
  return spawnSync('/usr/bin/setpriv', ['--reuid=65534', '--regid=65534', '--clear-groups', '--', '/usr/bin/test', flag, path]).status === 0
}

test.serial('A12 a set-user-id file of a pod is out of reach for the other users of the host', async (t) => {
  chmodSync(scene.home, 0o755)
  const plant = 'for d in / /v; do cp /bin/busybox $d/suid; chmod 4755 $d/suid; done'
  const pod = await scene.start(['--net=none', '--volume=v,kind=empty,mode=0777', '--mount=volume=v,target=/v', scene.image, ...shellWords(`${plant}; echo planted; sleep 100`)])
  await until('the files', () => pod.stdout() === 'planted\n')
  const directory = join(scene.data, 'pods/run', pod.uuid)
  const planted = [join(directory, 'sharedVolumes/v/suid'), ...readdirSync(join(directory, 'overlay')).map((tree) => join(directory, 'overlay', tree, 'upper/busybox/suid'))]
  for (const path of planted) {
    t.is(lstatSync(path).mode & 0o7777, 0o4755)
    t.is(lstatSync(path).uid, ordinaryUser.id)
    t.false(othersMay('-e', path))
  }
  t.true(othersMay('-d', join(scene.home, '.local')))
  t.false(othersMay('-r', scene.data))
  t.is(lstatSync(scene.data).mode & 0o777, 0o700)
  await scene.rkt(['stop', '--force', pod.uuid])
  await pod.end
  t.is((await scene.rkt(['rm', pod.uuid])).code, 0)
  t.deepEqual(podDirectories(scene.data), [])
})

test.serial('B16 nothing of the user\'s home and of the host is in a pod', async (t) => {
  scene.file('private', 'a secret\n', 0o600)
  // Numbers of init's descriptors can be listed, since its owner is the user here; what they are cannot be learnt.
  const line = 'ls /proc/1/root/ /proc/1/cwd/; for f in /proc/1/fd/* /proc/1/exe; do readlink $f; cat $f; done; cat /proc/1/maps /proc/1/environ; head -c 1 /proc/1/mem; ls -d /home /root /tmp/rkt-test-*; cd /..; ls; find / -xdev -name private 2>/dev/null; nsenter -t 1 -m ls /'
  const { stdout } = await scene.shell(line, { flags: ['--insecure-options=seccomp'] })
  t.is(stdout, 'bin\ndev\netc\nproc\nsys\ntmp\n')
})

test.serial('C1 a pod of an ordinary user inherits no descriptor', async (t) => {
  const { stdout } = await scene.bash(`exec 7</etc/passwd 8<>${scene.file('open', '')}; exec $RKT --insecure-options=image run --rm --net=none ${scene.image} --exec=/bin/print-fds`)
  t.deepEqual([...stdout.matchAll(/^(\d+)/gm)].map(([, number]) => number), ['0', '1', '2'])
})

test.serial('C3 what enters a pod of an ordinary user is confined as its app', async (t) => {
  const pod = await scene.start(['--net=none', scene.image, ...shellWords('/bin/print-status; echo; sleep 100')])
  await until('the status', () => pod.stdout().endsWith('\n\n'))
  const entered = await scene.rkt(['enter', pod.uuid, '/bin/print-status'])
  const facts = (text: string): string => text.split('\n').filter((line) => /^(Cap|NoNewPrivs|Seccomp|Groups|Uid|Gid)/.test(line)).join('\n')
  t.true(facts(entered.stdout).includes('CapBnd'))
  t.is(facts(entered.stdout), facts(pod.stdout()))
  t.regex(pod.stdout(), /CapEff:\s*00000000a80425fb/)
  await scene.rkt(['stop', '--force', pod.uuid])
  await pod.end
  await scene.rkt(['rm', pod.uuid])
})

test.serial('C14 a pod of an ordinary user makes no namespaces', async (t) => {
  const { stdout } = await scene.shell('unshare -Ur true 2>&1; unshare -m true 2>&1; mount -t tmpfs none /tmp 2>&1; true')
  t.is(stdout.split('\n').filter((line) => /not permitted|denied|No space/.test(line)).length, 3)
})

test.serial('C15 a bomb of processes meets the limit without any control group', async (t) => {
  const bomb = 'i=0; while [ $i -lt 3000 ]; do sleep 20 & i=$((i+1)); done'
  const { stdout } = await scene.shell(`sh -c '${bomb}' 2>/tmp/error; set -- /proc/[0-9]*; echo $#; cat /tmp/error; echo counted`)
  const [count, error, last] = stdout.trim().split('\n')
  t.true(Number(count) > 1000 && Number(count) <= 2048, count)
  t.regex(error ?? '', /can't fork: Resource temporarily unavailable/)
  t.is(last, 'counted')
})

test.serial('C16 no control group can be written', async (t) => {
  const line = 'for f in $(find /sys/fs/cgroup -type f | head -n 50) /sys/fs/cgroup/x; do echo 1 > $f; done 2>&1; mkdir /sys/fs/cgroup/mine 2>&1; ls -A /sys/fs/cgroup'
  for (const net of ['none', 'host']) {
    const { stdout } = await scene.shell(line, { net })
    t.deepEqual(stdout.trim().split('\n').filter((text) => !/Read-only file system|Permission denied/.test(text)), [])
  }
})

test.serial('C17 what tells of the host is not readable in a pod of an ordinary user', async (t) => {
  const paths = ['/proc/kcore', '/proc/keys', '/proc/timer_list', '/proc/interrupts', '/proc/kallsyms', '/proc/slabinfo', '/sys/firmware', '/sys/kernel/debug', '/sys/kernel/security', '/sys/module']
  for (const net of ['none', 'host']) {
    const { stdout } = await scene.shell(`for f in ${paths.join(' ')}; do if [ -d $f ]; then ls -A $f; else head -c 8 $f; fi; done 2>/dev/null; echo > /proc/sys/kernel/core_pattern; head -c 3 /proc/meminfo`, { net })
    t.is(stdout, 'Mem')
  }
})

test.serial('D12 keys that somebody else stored are not trusted by an ordinary user', async (t) => {
  const foreign = scene.place.in('foreign')
  mkdirSync(join(foreign, 'trustedkeys/root.d'), { recursive: true })
  writeFileSync(join(foreign, 'trustedkeys/root.d', 'a'.repeat(40)), 'key')
  using gpg = openGpg()
  const content = readFileSync(makeAci())
  const image = scene.file('signed.aci', content)
  scene.file('signed.aci.asc', gpg.sign(content, { key: gpg.generateKey({ userID: 'Somebody <somebody@example.com>' }) }))
  const { code, stderr } = await scene.rkt([`--local-config=${foreign}`, 'fetch', image])
  t.is(code, 254)
  t.regex(stderr, /cannot use trusted keys in ".*\/foreign\/trustedkeys": it belongs to another user; expected yourself/)
})

test.serial('E2 nobody else may look at what an ordinary user keeps, whatever the umask', async (t) => {
  const { code } = await scene.bash(`umask 000; $RKT --insecure-options=image prepare --quiet ${scene.image} --exec=/bin/true`)
  t.is(code, 0)
  t.true(existsSync(join(scene.data, 'pods/prepared')))
  for (const path of ['', 'pods', 'cas', 'cas/tree']) t.false(othersMay('-r', join(scene.data, path)), path)
  t.is(readFileSync(join(scene.data, 'format'), 'utf8'), '1\n')
  t.is((await scene.rkt(['gc', '--expire-prepared=0s', '--grace-period=0s'])).code, 0)
})
