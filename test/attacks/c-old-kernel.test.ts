import { existsSync, readFileSync } from 'node:fs'
import test from 'ava'
import { probe } from '../support/paths.ts'
import { openPodScene } from '../support/pod-scene.ts'

const scene = await openPodScene()
test.after.always(() => scene[Symbol.dispose]())

interface Outcome {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
  /** What the pod left in directories, mounts and groups, after the next collection. */
  readonly left: readonly string[]
}

/** A pod with a read-only root, so that every protection is put on, where a system call does not exist. */
async function runWithout(call: string): Promise<Outcome> {
  const file = scene.place.in(`uuid-${call}`)
  const { code, stdout, stderr } = await scene.bash(
    `exec ${probe('without')} ${call}=ENOSYS $RKT run --rm --net=none --uuid-file-save=${file} $IMAGE --readonly-rootfs=true --user=1000 --group=1000 --exec=/bin/echo -- started`,
  )
  const uuid = existsSync(file) ? readFileSync(file, 'utf8') : 'none'
  if (scene.leftovers([uuid]).some((path) => path.includes(uuid))) await scene.rkt(['gc', '--grace-period=0s'])
  return { code, stdout, stderr, left: scene.leftovers([uuid]).filter((path) => path.includes(uuid)) }
}

// SPEC: specs/kernel-features.md, Needed.
const needed = ['capset', 'clone', 'close_range', 'execveat', 'fsconfig', 'fsmount', 'fsopen', 'memfd_create', 'mount', 'mount_setattr', 'move_mount', 'open_tree',
  'openat2', 'pivot_root', 'seccomp', 'setns', 'umount2', 'unshare', 'landlock_add_rule', 'landlock_restrict_self']
for (const call of needed) {
  test.serial(`C18: on a kernel without ${call}() the start fails in words, and nothing is left after the next collection`, async (t) => {
    const { code, stdout, stderr, left } = await runWithout(call)
    t.is(code, 254, stderr)
    t.is(stdout, '')
    t.regex(stderr, /^(?:(?:stage1|run|rkt): [^\n]+\n)+$/)
    t.regex(stderr, /function not implemented(?:, \w+)?\n$/i)
    t.deepEqual(left, [])
  })
}

// SPEC: specs/kernel-features.md, Used where it is there; C libraries have ways of their own for clone3() and faccessat2().
for (const call of ['clone3', 'faccessat2', 'keyctl', 'landlock_create_ruleset', 'pidfd_open', 'pidfd_send_signal']) {
  test.serial(`C18 twin: on a kernel without ${call}() a pod starts, and is as confined as the rest allows`, async (t) => {
    t.like(await runWithout(call), { code: 0, stdout: 'started\n', left: [] })
  })
}

test.serial('C18: a pod is not stopped by a signal that might reach another process, where there is no descriptor for a process', async (t) => {
  const pod = await scene.start(['--rm', scene.image, '--exec=/bin/sleep', '--', '1000'])
  for (const call of ['pidfd_open', 'pidfd_send_signal']) {
    const { code, stderr } = await scene.bash(`exec ${probe('without')} ${call}=ENOSYS $RKT stop --force ${pod.uuid}`)
    t.is(code, 254, call)
    t.regex(stderr, /function not implemented/i)
  }
  t.is((await scene.rkt(['stop', '--force', pod.uuid])).code, 0)
  await pod.end
})
