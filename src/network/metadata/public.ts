import type { IncomingMessage } from 'node:http'
import { parsePodUUID } from '../../base/index.ts'
import { type Annotation, parseACIdentifier, parseACName, valueOf } from '../../spec/index.ts'
import { jsonType, orRefuse, pathOf, readBody, Refusal, type Reply, textType } from './exchange.ts'
import { signContent, verifyContent } from './hmac.ts'
import { appAnnotations, type RegisteredPod, type Registry } from './registry.ts'

const maxFormBytes = 1_048_576

export interface PublicOptions {
  readonly registry: Registry
  /** Key of the signatures. */
  readonly key: Uint8Array
}

/**
 * Answers apps: `/TOKEN/acMetadata/v1/…`; SPEC: appc 0.8.11 ace.md, App Container Metadata Service.
 *
 * @throws Refusal 401 for a token that no pod has, 400 for malformed names, 403 for a wrong signature, 404, 405.
 */
export async function answerApp({ registry, key }: PublicOptions, request: IncomingMessage): Promise<Reply> {
  const [token = '', service, version, subject, ...rest] = pathOf(request).parts
  if (service !== 'acMetadata' || version !== 'v1') throw new Refusal(404)
  const pod = registry.byToken(token)
  if (pod === undefined) throw new Refusal(401)
  if (subject === 'apps') return only('GET', request, () => answerAboutApp(pod, rest))
  if (subject !== 'pod') throw new Refusal(404)
  const what = rest.join('/')
  if (what === 'hmac/sign' || what === 'hmac/verify') {
    if (request.method !== 'POST') throw new Refusal(405)
    const form = new URLSearchParams((await readBody(request, maxFormBytes)).toString('utf8'))
    return what === 'hmac/sign' ? sign(pod, { key, form }) : verify({ key, form })
  }
  return only('GET', request, () => answerAboutPod(pod, rest))
}

function only(method: string, request: IncomingMessage, answer: () => Reply): Reply {
  if (request.method !== method && !(method === 'GET' && request.method === 'HEAD')) throw new Refusal(405)
  return answer()
}

function answerAboutPod({ uuid, manifest }: RegisteredPod, [what, ...name]: readonly string[]): Reply {
  if (name.length > 0 && what !== 'annotations') throw new Refusal(404)
  switch (what) {
    case 'uuid':
      return text(uuid)
    case 'manifest':
      return { status: 200, type: jsonType, body: manifest.bytes }
    case 'annotations':
      return annotations(manifest.value.annotations, name)
    default:
      throw new Refusal(404)
  }
}

function answerAboutApp({ manifest, images }: RegisteredPod, [app = '', ...rest]: readonly string[]): Reply {
  const name = orRefuse(400, () => parseACName(app))
  const runtime = manifest.value.apps.find((known) => known.name === name)
  const image = images.get(name)
  if (runtime === undefined || image === undefined) throw new Refusal(404)
  const [subject, ...detail] = rest
  if (subject === 'annotations') return annotations(appAnnotations(image.value.annotations, runtime.annotations), detail)
  const what = rest.join('/')
  if (what === 'image/id') return text(runtime.image.id)
  if (what === 'image/manifest') return { status: 200, type: jsonType, body: image.bytes }
  throw new Refusal(404)
}

/** All annotations as JSON, or the value of one as text; its name may hold slashes. */
function annotations(known: readonly Annotation[], name: readonly string[]): Reply {
  if (name.length === 0) return { status: 200, type: jsonType, body: JSON.stringify(known) }
  const value = valueOf(known, orRefuse(400, () => parseACIdentifier(name.join('/'))))
  if (value === undefined) throw new Refusal(404)
  return text(value)
}

function text(body: string): Reply {
  return { status: 200, type: textType, body }
}

interface FormOptions {
  readonly key: Uint8Array
  readonly form: URLSearchParams
}

function sign({ uuid }: RegisteredPod, { key, form }: FormOptions): Reply {
  const content = form.get('content')
  if (content === null) throw new Refusal(400)
  return text(signContent(key, { uuid, content }))
}

function verify({ key, form }: FormOptions): Reply {
  const content = form.get('content')
  const signature = form.get('signature')
  const uuid = orRefuse(400, () => parsePodUUID(form.get('uuid') ?? ''))
  if (content === null || signature === null) throw new Refusal(400)
  if (!verifyContent(key, { uuid, content, signature })) throw new Refusal(403)
  return { status: 200, type: textType }
}
