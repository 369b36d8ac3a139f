import { readFileSync } from 'node:fs'
import { chmodSync, writeFileSync } from 'node:fs'
import { rktProgram } from './paths.ts'
import type { RunResult } from './run.ts'
import type { SignedScene } from './signed-scene.ts'

/** One system call of one thread, in the order in which they began; descriptors are shown with what they are open on. */
export interface TracedCall {
  readonly thread: number
  readonly name: string
  /** Arguments and result. */
  readonly text: string
}

/** What could take bytes out of a file, start a program, or confine a process. */
const watched = [
  ...['read', 'readv', 'pread64', 'preadv', 'preadv2', 'mmap', 'sendfile', 'splice', 'tee', 'copy_file_range', 'io_uring_setup', 'process_vm_readv'],
  ...['pwrite64', 'execve', 'execveat', 'unshare', 'setns', 'pivot_root', 'setresuid', 'capset', 'seccomp'],
]

/** Runs the command under strace, with every process that it starts. */
export async function traceRkt(scene: SignedScene, args: readonly string[]): Promise<RunResult & { readonly calls: readonly TracedCall[] }> {
  const [program, output] = [scene.place.in('traced'), scene.place.in('trace')]
  writeFileSync(program, `#!/bin/sh\nexec strace --follow-forks -qq -y --string-limit=0 --trace=${watched.join(',')} --output=${output} ${rktProgram} "$@"\n`)
  chmodSync(program, 0o755)
  const result = await scene.rkt(args, { program })
  return { ...result, calls: readCalls(readFileSync(output, 'utf8')) }
}

/** Joins the two halves of calls during which another thread was shown. */
function readCalls(text: string): readonly TracedCall[] {
  const calls: { thread: number; name: string; text: string }[] = []
  for (const line of text.split('\n')) {
    const [, thread = '', rest = ''] = /^(\d+) +(.*)$/.exec(line) ?? []
    const resumed = /^<\.\.\. (\w+) resumed>(.*)$/.exec(rest)
    const begun = /^(\w+)\((.*)$/.exec(rest)
    if (resumed !== null) {
      const open = calls.findLast((call) => call.thread === Number(thread) && call.name === resumed[1])
      if (open !== undefined) open.text += resumed[2] ?? ''
    } else if (begun !== null) {
      calls.push({ thread: Number(thread), name: begun[1] ?? '', text: (begun[2] ?? '').replace(' <unfinished ...>', '') })
    }
  }
  return calls
}
