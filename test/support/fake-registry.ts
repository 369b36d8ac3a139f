import type { IncomingMessage, ServerResponse } from 'node:http'
import type { CraftedBlob, CraftedImage } from './oci-image.ts'
import { makeAuthority, serveHttps, type TestAuthority, type TestServer } from './https.ts'

/** A registry that behaves, except where a test says otherwise. */
export interface FakeRegistry extends AsyncDisposable {
  /** `localhost:PORT`. */
  readonly host: string
  readonly authority: TestAuthority
  /** `METHOD path`, with what was shown to it. */
  readonly asked: { readonly what: string; readonly authorization: string | undefined; readonly range: string | undefined }[]
  readonly manifests: Map<string, CraftedBlob>
  readonly blobs: Map<string, CraftedBlob>
  add(image: CraftedImage, tag: string): void
}

/** Answers a request itself and gives true, or leaves it to the registry. */
export type Misbehaviour = (request: IncomingMessage, response: ServerResponse, registry: FakeRegistry) => boolean

/** Serves repository `app` over https on a free port of localhost. */
export async function serveRegistry(misbehave: Misbehaviour = () => false): Promise<FakeRegistry> {
  const authority = sharedAuthority()
  const asked: FakeRegistry['asked'] = []
  const manifests = new Map<string, CraftedBlob>()
  const blobs = new Map<string, CraftedBlob>()
  const server: TestServer = await serveHttps(authority, (request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'https://localhost')
    asked.push({ what: `${request.method ?? ''} ${pathname}`, authorization: request.headers.authorization, range: request.headers.range })
    if (!misbehave(request, response, registry)) answer(pathname, { request, response, registry })
  })
  const registry: FakeRegistry = {
    host: new URL(server.origin).host,
    authority,
    asked,
    manifests,
    blobs,
    add: (image, tag) => {
      manifests.set(tag, image.manifest)
      manifests.set(image.manifest.digest, image.manifest)
      for (const one of image.blobs) blobs.set(one.digest, one)
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
  return registry
}

let shared: TestAuthority | undefined

/** One for all registries of a test file. */
function sharedAuthority(): TestAuthority {
  if (shared !== undefined) return shared
  const authority = makeAuthority()
  process.once('exit', () => authority[Symbol.dispose]())
  return (shared = authority)
}

interface Answering {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly registry: FakeRegistry
}

function answer(pathname: string, { request, response, registry }: Answering): void {
  const [, kind, name = ''] = /^\/v2\/app\/(manifests|blobs)\/(.+)$/.exec(pathname) ?? []
  const found = kind === 'manifests' ? registry.manifests.get(name) : registry.blobs.get(name)
  if (found === undefined) return void response.writeHead(pathname === '/v2/' ? 200 : 404).end()
  sendBlob(response, { blob: found, range: request.headers.range })
}

/** Sends a blob, or the rest of it. */
export function sendBlob(response: ServerResponse, { blob, range }: { readonly blob: CraftedBlob; readonly range: string | undefined }): void {
  const start = Number(/^bytes=([0-9]+)-$/.exec(range ?? '')?.[1] ?? 0)
  const headers = { 'Content-Type': blob.mediaType, 'Content-Length': blob.size - start }
  if (start === 0) response.writeHead(200, headers)
  else response.writeHead(206, { ...headers, 'Content-Range': `bytes ${start}-${blob.size - 1}/${blob.size}` })
  response.end(blob.bytes.subarray(start))
}
