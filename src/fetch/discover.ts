import { quote, RktError } from '../base/index.ts'
import type { ACIdentifier, Label } from '../spec/index.ts'
import { openPages, walkPages, type FoundTags, type WalkOptions } from './discovery-page.ts'
import { fillTemplate } from './discovery-template.ts'
import type { HttpOptions } from './http.ts'
import { signatureURL } from './signature.ts'

/** Where an image and its signature are published. */
export interface ImageEndpoint {
  readonly image: string
  readonly signature: string
}

export interface ImageName {
  readonly name: ACIdentifier
  readonly labels: readonly Label[]
}

/**
 * Finds an image by its name: the first template, on the first page of the walk, whose every variable is known.
 *
 * @throws RktError `not-found`, and as `walkPages`.
 */
export function discoverImage(image: ImageName, options: HttpOptions): Promise<ImageEndpoint> {
  return walkPages(image.name, (found) => imageEndpoint(image, found, options.insecure.http), walking(options))
}

/**
 * Finds the keys that the publisher of a prefix signs with: the URLs on the first page of the walk that has some.
 *
 * @throws RktError `not-found`; `policy-refused` for a URL of another host, which the page's own cannot speak for; and as `walkPages`.
 */
export function discoverKeys(prefix: ACIdentifier, options: HttpOptions): Promise<readonly string[]> {
  return walkPages(prefix, (found) => keyURLs(prefix, found, options.insecure.http), walking(options))
}

function walking(options: HttpOptions): WalkOptions {
  return { getPage: openPages(options), http: options.insecure.http, onMiss: (url, reason) => options.log.debug('image', `no discovery at ${quote(url)}: ${reason}`) }
}

/** The endpoint that the tags of one page give. */
export function imageEndpoint({ name, labels }: ImageName, { tags }: FoundTags, http: boolean): ImageEndpoint | undefined {
  for (const { name: kind, value } of tags) {
    if (kind !== 'ac-discovery') continue
    const image = checkedURL(fillTemplate(value, { name, labels, ext: 'aci' }), http)
    if (image === undefined) continue
    const signature = value.includes('{ext}') ? checkedURL(fillTemplate(value, { name, labels, ext: 'aci.asc' }), http) : undefined
    return { image, signature: signature ?? signatureURL(image) }
  }
  return undefined
}

/** The URLs of keys that the tags of one page give. */
export function keyURLs(prefix: ACIdentifier, { tags, hosts }: FoundTags, http: boolean): readonly string[] | undefined {
  const urls = tags.flatMap(({ name, value }) => {
    const url = name === 'ac-discovery-pubkeys' ? checkedURL(value, http) : undefined
    return url === undefined ? [] : [url]
  })
  const foreign = urls.find((url) => !hosts.includes(new URL(url).host))
  if (foreign !== undefined) {
    throw new RktError('policy-refused', `cannot use keys of ${quote(prefix)} at ${quote(foreign)}: they are on another host than the page that names them`, {
      hint: `when you know that they belong together: rkt trust --prefix=${prefix} ${foreign}`,
    })
  }
  return urls.length === 0 ? undefined : [...new Set(urls)]
}

/** A whole https URL without a user; http where that is allowed. */
function checkedURL(text: string | undefined, http: boolean): string | undefined {
  if (text === undefined || !URL.canParse(text)) return undefined
  const url = new URL(text)
  url.hash = ''
  const good = (url.protocol === 'https:' || (http && url.protocol === 'http:')) && url.username === '' && url.password === ''
  return good ? url.href : undefined
}
