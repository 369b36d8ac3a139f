import { closeSync, openSync, readdirSync, readFileSync, readlinkSync, writeSync } from 'node:fs'
import { release } from 'node:os'
import test from 'ava'
import { openPodScene, shellWords, until } from '../support/pod-scene.ts'

const scene = await openPodScene()
test.after.always(() => scene[Symbol.dispose]())

const kvm = '--isolation=kvm'
const sh = (line: string, flags: readonly string[] = [], app: readonly string[] = []): ReturnType<typeof scene.shell> => scene.shell(line, { flags: [kvm, ...flags], app, timeoutMs: 120_000 })

/** Processes below a launcher, by their programs. */
function programs(pid: number): ReadonlyMap<string, number> {
  const found = new Map<string, number>()
  const walk = (parent: number): void => {
    for (const word of readFileSync(`/proc/${parent}/task/${parent}/children`, 'utf8').trim().split(' ')) {
      if (word === '') continue
      found.set(readFileSync(`/proc/${word}/comm`, 'utf8').trim(), Number(word))
      walk(Number(word))
    }
  }
  walk(pid)
  return found
}

test.serial('kvm: the app runs on a kernel of its own, confined as on a host, and its output and status come out', async (t) => {
  const line = 'echo out; echo err >&2; uname -r; hostname; id -u; grep -E "CapBnd|Seccomp:" /proc/self/status; cat /proc/1/comm; date +%Y; exit 7'
  const { code, stdout, stderr, uuid } = await sh(line, ['--hostname=inside'], ['--caps-retain=CAP_CHOWN', '--user=1000', '--group=1000'])
  t.is(code, 7, stderr)
  const lines = stdout.trimEnd().split('\n')
  t.is(lines[0], 'out')
  t.regex(stderr, /^err$/m)
  t.not(lines[1], release())
  t.deepEqual(lines.slice(2, 7), ['inside', '1000', 'CapBnd:\t0000000000000001', 'Seccomp:\t2', 'init'])
  t.is(lines[7], String(new Date().getFullYear()))
  t.deepEqual(scene.leftovers([uuid]), [])
})

test.serial('kvm: several apps, each with its output and status; the first that fails ends the others', async (t) => {
  const apps = [scene.image, '--name=a', ...shellWords('echo from a; sleep 100'), '---', scene.image, '--name=b', ...shellWords('echo from b; sleep 1; exit 3')]
  const { code, stdout } = await scene.rkt(['run', '--net=none', kvm, ...apps], { timeoutMs: 120_000 })
  t.is(code, 3)
  t.regex(stdout, / a\[\d+\]: from a$/m)
  t.regex(stdout, / b\[\d+\]: from b$/m)
  const { stdout: status } = await scene.rkt(['status', (await scene.rkt(['list', '--full', '--no-legend'])).stdout.split('\t')[0] ?? ''])
  t.regex(status, /^app-b=3$/m)
  t.regex(status, /^app-a=143$/m)
  t.is((await scene.rkt(['gc', '--grace-period=0s'])).code, 0)
})

test.serial('kvm: standard input reaches the app, and its end', async (t) => {
  const { code, stdout } = await scene.shell('cat; echo end', { flags: [kvm, '--interactive'], input: 'one\ntwo\n', timeoutMs: 120_000 })
  t.is(code, 0)
  t.is(stdout, 'one\ntwo\nend\n')
})

test.serial('kvm: the monitor has no rights and sees only its files; stop ends the app by its signal', async (t) => {
  const pod = await scene.start([kvm, scene.image, ...shellWords('trap "echo told; exit 9" TERM; echo up; while :; do sleep 0.1; done')])
  await until('the app', () => pod.stdout().includes('up'))
  const monitor = programs(pod.pid).get('qemu-system-x86')
  if (monitor === undefined) return t.fail('no monitor')
  const status = readFileSync(`/proc/${monitor}/status`, 'utf8')
  t.regex(status, /^CapBnd:\t0{16}$/m)
  t.regex(status, /^CapEff:\t0{16}$/m)
  t.regex(status, /^NoNewPrivs:\t1$/m)
  t.regex(status, /^Seccomp:\t2$/m)
  t.notRegex(status, /^Uid:\t(?:0|1000)\t/m)
  for (const name of ['user', 'pid', 'net', 'mnt', 'ipc', 'uts']) t.not(readlinkSync(`/proc/${monitor}/ns/${name}`), readlinkSync(`/proc/self/ns/${name}`))
  t.deepEqual(readdirSync(`/proc/${monitor}/root`).sort(), ['.keep', 'bin', 'dev', 'lib', 'lib64', 'usr', 'vm'])
  t.is((await scene.rkt(['stop', pod.uuid])).code, 0)
  const { code, stdout } = await pod.end
  t.is(code, 9)
  t.regex(stdout, /told/)
  t.regex((await scene.rkt(['logs', pod.uuid])).stdout, /told/)
  t.is((await scene.rkt(['rm', pod.uuid])).code, 0)
})

test.serial('kvm: a monitor that is killed ends the pod within 5 s, with a reason and nothing left', async (t) => {
  const pod = await scene.start([kvm, scene.image, ...shellWords('echo up; exec sleep 1000')])
  await until('the app', () => pod.stdout().includes('up'))
  const monitor = programs(pod.pid).get('qemu-system-x86')
  if (monitor === undefined) return t.fail('no monitor')
  const before = Date.now()
  process.kill(monitor, 'SIGKILL')
  const { code, stderr } = await pod.end
  t.true(Date.now() - before < 5000)
  t.is(code, 254)
  t.regex(stderr, /cannot go on without "the virtual machine"/)
  t.is((await scene.rkt(['rm', pod.uuid])).code, 0)
  t.deepEqual(scene.leftovers([pod.uuid]), [])
})

test.serial('kvm: a monitor that is stopped ends the pod too: a silent guest is given up', async (t) => {
  const pod = await scene.start([kvm, scene.image, ...shellWords('echo up; exec sleep 1000')])
  await until('the app', () => pod.stdout().includes('up'))
  const monitor = programs(pod.pid).get('qemu-system-x86')
  if (monitor === undefined) return t.fail('no monitor')
  process.kill(monitor, 'SIGSTOP')
  const { code, stderr } = await pod.end
  t.is(code, 254)
  t.regex(stderr, /cannot hear from "the guest"/)
  t.is((await scene.rkt(['rm', pod.uuid])).code, 0)
})

test.serial('kvm: a byte that was changed on the disk of an image is an error where it is read, and never runs', async (t) => {
  using other = await openPodScene()
  t.is((await other.shell('cat /bin/busybox | md5sum', { flags: [kvm], timeoutMs: 120_000 })).code, 0)
  const trees = `${other.dir}/cas/tree`
  const disk = `${trees}/${readdirSync(trees)[0]}/disk.erofs`
  const size = readFileSync(disk).byteLength
  const fd = openSync(disk, 'r+')
  for (let at = 65_536; at < size / 2; at += 65_536) writeSync(fd, Buffer.from('changed'), 0, 7, at)
  closeSync(fd)
  const { code, stdout } = await other.shell('cat /bin/busybox | md5sum', { flags: [kvm], timeoutMs: 120_000 })
  t.not(code, 0)
  t.notRegex(stdout, /-/)
})

const refusals: readonly (readonly [words: readonly string[], text: RegExp])[] = [
  [['--net=host'], /cannot give a virtual machine the network of the host/],
  [['--net=default'], /cannot connect a virtual machine to a network/],
  [['--net=none', '--ipc=parent'], /cannot give a virtual machine the IPC namespace of the host/],
  [['--net=none', '--no-overlay'], /cannot use --no-overlay with isolation "kvm"/],
  [['--net=none', '--volume=v,kind=host,source=/tmp', '--mount=volume=v,target=/v'], /cannot bring volume "v" into a virtual machine/],
]
for (const [words, text] of refusals) {
  test(`kvm: ${words.slice(-2).join(' ')} is refused`, async (t) => {
    const { code, stderr } = await scene.rkt(['run', kvm, ...words, scene.image])
    t.is(code, 254)
    t.regex(stderr, text)
  })
}
