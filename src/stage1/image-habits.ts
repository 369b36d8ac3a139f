import type { PreparedApp } from '../pod/index.ts'
import { signalNumber, stopSignalAnnotation, valueOf } from '../spec/index.ts'
import type { Operation } from './plan/operations.ts'

/** Of an image that is, or was converted from, a container image of today. */
const containerImage = 'appc.io/docker/repository'

/** Places of the system's own, where nothing is made. */
const reserved = /^\/(?:proc|sys|dev)(?:\/|$)/

/** What container images expect beyond appc: a working directory that nobody made is made. After all volumes. */
export function workingDirectoryOf({ app, imageManifest }: PreparedApp): readonly Operation[] {
  const path = app.workingDirectory
  if (path === '' || path === '/' || reserved.test(path) || valueOf(imageManifest.annotations, containerImage) === undefined) return []
  return [{ op: 'mkdir', path: path.slice(1), mode: 0o755 }]
}

/** The signal that asks the app to end, when it is another than SIGTERM. */
export function stopSignalOf({ imageManifest }: PreparedApp): readonly Operation[] {
  const text = valueOf(imageManifest.annotations, stopSignalAnnotation)
  const signal = text === undefined ? undefined : signalNumber(text)
  return signal === undefined ? [] : [{ op: 'stop-signal', signal }]
}
