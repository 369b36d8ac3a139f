/** What a page says about images: `<meta name="NAME" content="PREFIX VALUE">`. */
export interface MetaTag {
  readonly name: 'ac-discovery' | 'ac-discovery-pubkeys'
  /** Of the names of images that it speaks of. */
  readonly prefix: string
  /** A template of image URLs, or the URL of keys. */
  readonly value: string
}

/** More elements than the head of any page needs; the parser slows down with their depth. */
const maxElements = 10_000

/**
 * Reads the tags of a page, in their order, up to the end of its head: what a page shows may be written by its visitors. Nothing but
 * `<meta>` is looked at, and nothing of a page is an error.
 *
 * SPEC: appc, "App Container Image Discovery", Meta Discovery.
 */
export async function readMetaTags(page: Uint8Array): Promise<readonly MetaTag[]> {
  const { Parser } = await import('htmlparser2')
  const tags: MetaTag[] = []
  let elements = 0
  const parser = new Parser({
    onopentag: (name, attributes) => {
      elements += 1
      if (name === 'body' || elements > maxElements) return parser.pause()
      const tag = name === 'meta' ? readTag(attributes['name'], attributes['content']) : undefined
      if (tag !== undefined) tags.push(tag)
    },
    onclosetag: (name) => {
      if (name === 'head') parser.pause()
    },
  })
  parser.end(new TextDecoder().decode(page))
  return tags
}

function readTag(name: string | undefined, content: string | undefined): MetaTag | undefined {
  if (name !== 'ac-discovery' && name !== 'ac-discovery-pubkeys') return undefined
  const [, prefix, value] = /^\s*(\S+)\s+(\S+)\s*$/.exec(content ?? '') ?? []
  return prefix === undefined || value === undefined ? undefined : { name, prefix, value }
}
