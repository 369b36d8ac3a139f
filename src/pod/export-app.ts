import { closeSync, constants, openSync, readFileSync } from 'node:fs'
import { binding, lockDescriptor, quote, RktError, type Log } from '../base/index.ts'
import { type ACName, imageManifestToJson } from '../spec/index.ts'
import { writeAci, type WrittenAci } from '../store/index.ts'
import { cannot } from './io-error.ts'
import { mountsBelow } from './mountinfo.ts'
import type { Pod } from './pod.ts'
import { isAt } from './pod-lock.ts'
import { loadPreparedPod, type PreparedApp, type PreparedPod } from './prepared-pod.ts'

export interface ExportAppOptions {
  readonly app: ACName
  /** Absolute path of the image to make. */
  readonly out: string
  readonly overwrite: boolean
  readonly log: Log
  readonly signal: AbortSignal
}

/**
 * Writes an app of an exited pod as an image: its manifest with what the pod changed in it, and its root with what the app changed
 * there. The app's files are read, never followed; sockets are left out, since they mean nothing without their process.
 *
 * @throws RktError `wrong-state`, `busy`, `already-exists`, `invalid-archive` for a file that no image can hold, `io`.
 */
export async function exportApp(pod: Pod, { app: name, out, overwrite, log, signal }: ExportAppOptions): Promise<WrittenAci> {
  if (pod.state !== 'exited' && pod.state !== 'exited garbage') throw new RktError('wrong-state', 'pod is not exited. Only exited pods can be exported')
  // A shared lock keeps collectors away, and the pod's state is still told as it is.
  if (!lockDescriptor(pod.fd, { mode: 'shared', wait: 'try' }) || !isAt(pod.fd, pod.dir)) {
    throw new RktError('busy', `cannot export pod "${pod.uuid}": another process is about to remove it`)
  }
  const prepared = loadPreparedPod(pod)
  const app = prepared.apps.find((one) => one.name === name)
  if (app === undefined) throw new RktError('not-found', `pod "${pod.uuid}" has no app ${quote(name)}`)
  using tree = openTree(prepared, app)
  return await writeAci({
    manifest: manifestOf(app),
    tree: tree.path,
    output: { path: out, overwrite, existsText: 'target file exists (try --overwrite)' },
    compression: 'gzip',
    mtimeSeconds: 'kept',
    sockets: { kind: 'skip', tell: (path) => log.warn(`warning: leaving out socket ${quote(path)}`) },
    signal,
  })
}

/** The exported root is whole: nothing of what it was rendered from is named again. */
function manifestOf({ imageManifest, app }: PreparedApp): Uint8Array {
  return Buffer.from(JSON.stringify(imageManifestToJson({ ...imageManifest, app, dependencies: [], pathWhitelist: [] })))
}

interface OpenTree extends Disposable {
  readonly path: string
}

function openTree(pod: PreparedPod, { upper, roots }: PreparedApp): OpenTree {
  if (upper === undefined) {
    if (mountsBelow(readFileSync('/proc/self/mountinfo'), pod.dir).length > 0) {
      throw new RktError('busy', 'pod has remaining mountpoints. Only pods using overlayfs or with no mountpoints can be exported')
    }
    return { path: roots[0], [Symbol.dispose]: () => undefined }
  }
  const fd = openView(pod, [upper, ...roots])
  return { path: `/proc/self/fd/${fd}/.`, [Symbol.dispose]: () => closeSync(fd) }
}

function openView({ uuid }: PreparedPod, layers: readonly string[]): number {
  const fds: number[] = []
  try {
    for (const layer of layers) fds.push(openSync(layer, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW))
    return binding().overlayView(fds)
  } catch (cause) {
    throw cannot(`export pod "${uuid}": mount its overlay`, cause)
  } finally {
    for (const fd of fds) closeSync(fd)
  }
}
