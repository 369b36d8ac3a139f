import test from 'ava'
import { ociSeccomp } from '../../../../src/stage1/oci/seccomp.ts'
import { defaultProfile } from '../../../../src/stage1/seccomp-default.ts'

/** What the rules of one call say to a value of an argument; several that hold must agree. */
function answers(call: string, argument: number, value: number): ReadonlySet<string> {
  const { syscalls } = ociSeccomp(defaultProfile(), 'x64')
  const holding = syscalls.filter(({ names, args }) =>
    names.includes(call) && (args ?? []).every((condition) => condition.index === argument && ((value & condition.value) >>> 0) === condition.valueTwo))
  return new Set(holding.map(({ action }) => action))
}

const allow = new Set(['SCMP_ACT_ALLOW'])
const errno = new Set(['SCMP_ACT_ERRNO'])

test('ociSeccomp() refuses terminal input and allows every other ioctl', (t) => {
  for (const request of [0x5412, 0x541c]) t.deepEqual(answers('ioctl', 1, request), errno)
  for (const request of [0, 1, 0x5401, 0x5410, 0x5413, 0x5414, 0x5416, 0x541a, 0x541e, 0x5413, 0xffff_ffff]) t.deepEqual(answers('ioctl', 1, request), allow, String(request))
})

test('ociSeccomp() refuses clone with any flag of a namespace, and allows threads', (t) => {
  for (const flag of [0x0002_0000, 0x1000_0000, 0x4000_0000]) t.deepEqual(answers('clone', 0, flag | 17), errno)
  t.deepEqual(answers('clone', 0, 17), allow)
  t.deepEqual(answers('clone', 0, 0x003d_0f00), allow)
})

test('ociSeccomp() lets foreign families of sockets fall to the default answer', (t) => {
  for (const family of [38, 40]) t.deepEqual(answers('socket', 0, family), new Set())
  for (const family of [1, 2, 10, 16, 17, 39, 41]) t.deepEqual(answers('socket', 0, family), allow)
})
