import { isRktError, limits, quote, RktError } from '../base/index.ts'
import type { ACIdentifier } from '../spec/index.ts'
import { get, type HttpOptions } from './http.ts'
import { readMetaTags, type MetaTag } from './meta-tags.ts'

/** A page of discovery, as it came. */
export interface DiscoveryPage {
  /** Hosts that speak for it: the one that was asked, and the one that the redirects ended at. */
  readonly hosts: readonly string[]
  readonly bytes: Uint8Array
}

/** Gets one page; `openPages` unless a test has its own. */
export type GetPage = (url: string) => Promise<DiscoveryPage>

/** Pages over the network, each of at most `limits.discoveryBytes`. */
export function openPages(options: HttpOptions): GetPage {
  return async (url) => {
    using response = await get(url, options)
    if (response.status < 200 || response.status > 299) throw new RktError('http-status', `cannot read ${quote(url)}: bad HTTP status code: ${response.status}`)
    const chunks: Uint8Array[] = []
    let length = 0
    for await (const chunk of response.body) {
      length += chunk.byteLength
      if (length > limits.discoveryBytes) throw new RktError('limit-exceeded', `cannot read ${quote(url)}: expected a page of at most ${limits.discoveryBytes} bytes`)
      chunks.push(chunk)
    }
    return { hosts: [new URL(url).host, new URL(response.url).host], bytes: Buffer.concat(chunks) }
  }
}

export interface WalkOptions {
  readonly getPage: GetPage
  /** Whether pages may come over plain http when https gives none. */
  readonly http: boolean
  /** Told of each page that was of no use. */
  readonly onMiss: (url: string, reason: string) => void
}

/** Tags of one page that speak of the name. */
export interface FoundTags {
  readonly hosts: readonly string[]
  readonly tags: readonly MetaTag[]
}

/**
 * Asks the name itself, then its parents up to the host, until `use` finds something in the tags of a page; those with a prefix that the
 * name does not begin with are left out.
 *
 * @throws RktError `not-found` at the end of the walk; at once for a page that is too large, insecure or not who it says.
 */
export async function walkPages<T>(name: ACIdentifier, use: (found: FoundTags) => T | undefined, options: WalkOptions): Promise<T> {
  let reason = 'no page has a tag for it'
  for (const url of pageURLs(name, options)) {
    try {
      const { bytes, hosts } = await options.getPage(url)
      const tags = (await readMetaTags(bytes)).filter(({ prefix }) => name.startsWith(prefix))
      const found = use({ hosts, tags })
      if (found !== undefined) return found
      options.onMiss(url, 'no tag for this name')
    } catch (error) {
      if (!isRktError(error, 'network', 'http-status', 'timeout', ...(options.http ? (['tls'] as const) : []))) throw error
      reason = error.message
      options.onMiss(url, error.message)
    }
  }
  throw new RktError('not-found', `cannot find ${quote(name)}: discovery failed: ${reason}`)
}

function pageURLs(name: ACIdentifier, { http }: WalkOptions): readonly string[] {
  const parts = name.split('/')
  // A name such as 127.1 would be another host once it is a URL.
  if (!URL.canParse(`https://${name}`) || new URL(`https://${name}`).host !== parts[0]) {
    throw new RktError('not-found', `cannot find ${quote(name)}: discovery failed: ${quote(parts[0] ?? '')} is no name of a host`)
  }
  const paths = parts.map((_, index) => parts.slice(0, parts.length - index).join('/'))
  const schemes = http ? ['https', 'http'] : ['https']
  return paths.flatMap((path) => schemes.map((scheme) => `${scheme}://${path}?ac-discovery=1`))
}
