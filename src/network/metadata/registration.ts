import type { IncomingMessage } from 'node:http'
import { parsePodUUID } from '../../base/index.ts'
import { parseACName, readImageManifest, readPodManifest } from '../../spec/index.ts'
import { orRefuse, pathOf, readBody, Refusal, type Reply } from './exchange.ts'
import type { Registry } from './registry.ts'

const tokenPattern = /^[0-9A-Za-z_-]{1,128}$/

/**
 * Answers on the registration socket: `PUT /pods/UUID?token=T` with a pod manifest, `PUT /pods/UUID/APP` with an image manifest,
 * `DELETE /pods/UUID`.
 *
 * @throws Refusal 400 for what is malformed, 404 for what is not known, 405.
 */
export async function answerRegistration(registry: Registry, request: IncomingMessage): Promise<Reply> {
  const { parts, query } = pathOf(request)
  const [root, id = '', app, ...more] = parts
  if (root !== 'pods' || more.length > 0) throw new Refusal(404)
  const uuid = orRefuse(400, () => parsePodUUID(id))
  if (request.method === 'DELETE' && app === undefined) {
    if (!registry.remove(uuid)) throw new Refusal(404)
    return { status: 200 }
  }
  if (request.method !== 'PUT') throw new Refusal(405)
  if (app === undefined) {
    const token = query.get('token') ?? ''
    if (!tokenPattern.test(token)) throw new Refusal(400)
    const bytes = await readBody(request)
    const value = orRefuse(400, () => readPodManifest(bytes))
    if (!registry.add({ uuid, manifest: { bytes, value }, images: new Map() }, token)) throw new Refusal(400)
    return { status: 200 }
  }
  const name = orRefuse(400, () => parseACName(app))
  const bytes = await readBody(request)
  const value = orRefuse(400, () => readImageManifest(bytes))
  const pod = registry.byUuid(uuid)
  if (pod === undefined || !pod.manifest.value.apps.some((known) => known.name === name)) throw new Refusal(404)
  pod.images.set(name, { bytes, value })
  return { status: 200 }
}
