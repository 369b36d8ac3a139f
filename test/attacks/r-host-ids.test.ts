import test from 'ava'
import { openScene, shell } from '../functional/cli-scene.ts'

test('C17 a root with the ids of the host reads no memory layout of the host', async (t) => {
  using scene = await openScene(t)
  const paths = ['kpageflags', 'kpagecount', 'kpagecgroup', 'slabinfo', 'vmallocinfo', 'pagetypeinfo', 'dynamic_debug/control'].map((name) => `/proc/${name}`)
  const line = `for f in ${paths.join(' ')}; do head -c 8 $f 2>/dev/null | grep -q . && echo $f; done; head -c 8 /proc/meminfo`
  const { stdout } = await scene.run(['--private-users=false', ...shell(line)])
  t.is(stdout, 'MemTotal')
})

test('B16 a capability that opens init of a pod with the ids of the host is refused', async (t) => {
  using scene = await openScene(t)
  const words = ['--private-users=false', '--caps-retain=CAP_SYS_PTRACE', ...shell('echo traced')]
  const traced = await scene.run(words)
  t.is(traced.code, 254)
  t.is(traced.stdout, '')
  t.regex(traced.stderr, /cannot give CAP_SYS_PTRACE to app "busybox" with the user ids of the host/)
  const waived = await scene.rkt(['--insecure-options=capabilities', 'run', '--net=none', scene.image, ...words])
  t.is(waived.stdout, 'traced\n', waived.stderr)
  // In a user namespace of its own the same capability opens nothing.
  const mapped = await scene.run(['--caps-retain=CAP_SYS_PTRACE', ...shell('for f in fd root/; do ls /proc/1/$f/* 2>/dev/null; done; cat /proc/1/maps 2>/dev/null; true')])
  t.is(mapped.stdout, '')
  t.notRegex(mapped.stderr, /PTRACE/)
})
