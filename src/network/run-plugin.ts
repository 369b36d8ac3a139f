import { spawn } from 'node:child_process'
import { isErrno, parseStrictJson, quote, RktError } from '../base/index.ts'
import { isRecord } from './configured-network.ts'

export interface PluginCall {
  /** Absolute path of the plugin. */
  readonly path: string
  readonly env: Readonly<Record<string, string>>
  readonly stdin: Uint8Array
  /** Name of the network, for messages. */
  readonly networkName: string
  /**
   * The pod's lock, which the plugin then holds too: while an orphaned plugin still works, the pod does not count as ended and nobody
   * collects it.
   */
  readonly lockFd?: number
  readonly signal: AbortSignal
}

const deadlineMs = 30_000
const maxOutputBytes = 1_048_576

/**
 * Runs a CNI plugin to its end and returns what it wrote to standard output.
 *
 * @throws RktError `network-setup` with the plugin's own words, `timeout` after 30 s, `missing-tool`; the signal's reason when aborted.
 */
export async function runPlugin(call: PluginCall): Promise<Uint8Array> {
  call.signal.throwIfAborted()
  const lock = call.lockFd === undefined ? [] : [call.lockFd]
  const child = spawn(call.path, [], { env: call.env, cwd: '/', stdio: ['pipe', 'pipe', 'pipe', ...lock], detached: true })
  const { stdin, stdout, stderr } = child
  if (stdin === null || stdout === null || stderr === null) throw new Error('the pipes of a child are missing')
  const stop = (): void => killGroup(child.pid)
  const deadline = AbortSignal.timeout(deadlineMs)
  const either = AbortSignal.any([deadline, call.signal])
  either.addEventListener('abort', stop)
  try {
    const output = collect(stdout, stop)
    const words = collect(stderr, stop)
    stdin.on('error', () => undefined) // A plugin that fails early does not read its configuration: its status tells.
    stdin.end(call.stdin)
    const status = await ended(child, call.path)
    call.signal.throwIfAborted()
    if (deadline.aborted) {
      throw new RktError('timeout', `${failure(call)}: plugin ${quote(call.path)} did not end within ${deadlineMs / 1000} s`)
    }
    if (status === '0') return output()
    const hint = errorCode(output()) === incompatibleVersion && call.env['CNI_COMMAND'] !== 'VERSION' ? await versionHint(call) : undefined
    throw new RktError('network-setup', `${failure(call)}: ${pluginWords(output(), words(), status)}`, hint === undefined ? {} : { hint })
  } finally {
    either.removeEventListener('abort', stop)
  }
}

/** SPEC: CNI 1.0.0, section 2, VERSION. */
async function versionHint(call: PluginCall): Promise<string> {
  const stdin = Buffer.from(JSON.stringify({ cniVersion: call.env['CNI_VERSION'] }))
  const answer = asJson(await runPlugin({ ...call, stdin, env: { ...call.env, CNI_COMMAND: 'VERSION' } }))
  const versions = isRecord(answer) && Array.isArray(answer['supportedVersions']) ? answer['supportedVersions'].filter((one): one is string => typeof one === 'string') : []
  return `the plugin knows the versions ${versions.map(oneLine).join(', ')}; "cniVersion" of the configuration is ${oneLine(call.env['CNI_VERSION'] ?? '')}`
}

/** SPEC: CNI 1.0.0, section 5: code 1 is an incompatible version. */
const incompatibleVersion = 1

function errorCode(output: Uint8Array): unknown {
  const error = asJson(output)
  return isRecord(error) ? error['code'] : undefined
}

function failure(call: PluginCall): string {
  return call.env['CNI_COMMAND'] === 'DEL'
    ? `cannot tear down network ${quote(call.networkName)}`
    : `failed to setup network ${quote(call.networkName)}`
}

/** A plugin starts others (address managers, iptables): all of them are in its process group. */
function killGroup(pid: number | undefined): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, 'SIGKILL')
  } catch (error) {
    if (!isErrno(error, 'ESRCH')) throw error
  }
}

function collect(stream: NodeJS.ReadableStream, tooMuch: () => void): () => Buffer {
  const chunks: Buffer[] = []
  let sizeBytes = 0
  stream.on('data', (chunk: Buffer) => {
    sizeBytes += chunk.byteLength
    if (sizeBytes > maxOutputBytes) tooMuch()
    else chunks.push(chunk)
  })
  return () => Buffer.concat(chunks)
}

function ended(child: ReturnType<typeof spawn>, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    child.on('error', (cause) => reject(new RktError('missing-tool', `cannot start network plugin ${quote(path)}: ${cause.message}`, { cause })))
    child.on('close', (code, signal) => resolve(signal ?? String(code)))
  })
}

/** SPEC: CNI 1.0.0, section 5 "Error": a JSON object with `code`, `msg` and `details` on standard output. */
function pluginWords(output: Uint8Array, stderr: Uint8Array, status: string): string {
  const error = asJson(output)
  if (isRecord(error) && typeof error['msg'] === 'string') {
    const details = typeof error['details'] === 'string' && error['details'] !== '' ? `; ${error['details']}` : ''
    return oneLine(`${error['msg']}${details}`)
  }
  const last = oneLine(Buffer.from(stderr).toString('utf8').trim().split('\n').at(-1) ?? '')
  return last === '' ? `netplugin failed with no error message: exit status ${status}` : `netplugin failed: ${last}`
}

function asJson(bytes: Uint8Array): unknown {
  try {
    return parseStrictJson(bytes, { what: 'plugin error' })
  } catch {
    return undefined // Not an error object: the caller falls back to standard error.
  }
}

function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ').slice(0, 1000)
}
