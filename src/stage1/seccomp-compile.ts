import { spawn } from 'node:child_process'
import { RktError } from '../base/index.ts'

export interface CompileOptions {
  readonly timeoutMs: number
  readonly signal?: AbortSignal
}

/**
 * Runs the compiler of src/native/seccomp.c.
 *
 * @throws RktError `invalid-manifest` for a call that nobody knows, `child-failed` for every other failure.
 */
export async function compileSeccomp(compiler: string, text: string, { timeoutMs, signal }: CompileOptions): Promise<Uint8Array> {
  const child = spawn(compiler, [], { stdio: ['pipe', 'pipe', 'pipe'], env: {}, timeout: timeoutMs, ...(signal === undefined ? {} : { signal }) })
  const output: Buffer[] = []
  const complaint: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => output.push(chunk))
  child.stderr.on('data', (chunk: Buffer) => complaint.push(chunk))
  // A compiler that refuses a line may be gone before it has read the rest; its exit status tells.
  child.stdin.on('error', () => undefined)
  child.stdin.end(text)
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', resolve)
  })
  if (code === 0) return Buffer.concat(output)
  const said = Buffer.concat(complaint).toString().trim()
  const unknown = /unknown system call "[^"]*"$/.exec(said)?.[0]
  if (unknown !== undefined) throw new RktError('invalid-manifest', `cannot compile a seccomp filter: ${unknown}`)
  throw new RktError('child-failed', `cannot compile a seccomp filter: ${said === '' ? `status ${code}` : said}`)
}
