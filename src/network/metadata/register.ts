import { randomBytes } from 'node:crypto'
import { request } from 'node:http'
import { errorText, type PodUUID, quote, RktError } from '../../base/index.ts'
import { metadataPort, portHeader, registrationPath } from './socket.ts'

export interface RegisterOptions {
  readonly uuid: PodUUID
  /** JSON of the pod manifest. */
  readonly manifest: string
  /** JSON of the image manifests, by name of the app. */
  readonly images: readonly { readonly app: string; readonly manifest: string }[]
  /** The address of the host that the pod reaches. */
  readonly hostIP: string
  readonly signal: AbortSignal
}

/**
 * Registers a pod with the metadata service; gives the URL for its apps.
 *
 * @throws RktError `network`.
 */
export async function registerPod({ uuid, manifest, images, hostIP, signal }: RegisterOptions): Promise<string> {
  const token = randomBytes(16).toString('hex')
  const port = await put(`/pods/${uuid}?token=${token}`, { body: manifest, signal })
  for (const { app, manifest: body } of images) await put(`/pods/${uuid}/${app}`, { body, signal })
  return `http://${hostIP.includes(':') ? `[${hostIP}]` : hostIP}:${port}/${token}`
}

async function put(path: string, { body, signal }: { readonly body: string; readonly signal: AbortSignal }): Promise<string> {
  const headers = { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) }
  const either = AbortSignal.any([signal, AbortSignal.timeout(10_000)])
  return await new Promise((resolve, reject) => {
    const sent = request({ socketPath: registrationPath, path, method: 'PUT', headers, signal: either, agent: false }, (response) => {
      response.resume()
      const port = response.headers[portHeader]
      if (response.statusCode === 200) resolve(typeof port === 'string' && /^[0-9]{1,5}$/.test(port) ? port : String(metadataPort))
      else reject(failure(`it answered with status ${response.statusCode ?? 0}`))
    })
    sent.on('error', (cause) => reject(signal.aborted ? signal.reason : failure(errorText(cause), cause)))
    sent.end(body)
  })
}

function failure(state: string, cause?: unknown): RktError {
  return new RktError('network', `cannot register with the metadata service at ${quote(registrationPath)}: ${state}`, {
    hint: 'start it with: rkt metadata-service',
    cause,
  })
}
