import { limits, parseStrictJson, quote, RktError } from '../../../base/index.ts'
import { readWhole, type Files } from './files.ts'

/** An image of a Docker archive: names of its files, and what it is called. */
export interface ArchivedImage {
  readonly config: string
  readonly tags: readonly string[]
  readonly layers: readonly string[]
}

/** The list of images in `manifest.json`. @throws RktError `invalid-archive`, `invalid-json`. */
export async function readArchiveManifest(files: Files): Promise<readonly ArchivedImage[]> {
  const tooLarge = (): RktError => new RktError('limit-exceeded', `cannot read ${quote(files.text)}: its manifest has more than ${limits.jsonBytes} bytes`)
  const bytes = await readWhole(files, { name: 'manifest.json', maxBytes: limits.jsonBytes, tooLarge })
  if (bytes === undefined) throw new RktError('invalid-archive', `cannot use ${quote(files.text)}: there is no "manifest.json" in it; expected an archive of "docker save"`)
  const json = parseStrictJson(bytes, { what: `manifest of ${quote(files.text)}` })
  const refuse = (): RktError => new RktError('invalid-archive', `cannot use ${quote(files.text)}: its "manifest.json" is not a list of images`)
  if (!Array.isArray(json)) throw refuse()
  return json.map((one: unknown) => {
    const image = readImage(one)
    if (image === undefined || image.layers.length > limits.imageLayers) throw refuse()
    return image
  })
}

/** @throws RktError `not-found`, `ambiguous`. */
export function chooseImage(images: readonly ArchivedImage[], { ref, text }: { readonly ref: string | undefined; readonly text: string }): ArchivedImage {
  const wanted = ref === undefined ? images : images.filter(({ tags }) => tags.some((tag) => tag === ref || tag === `docker.io/${ref}` || tag === `docker.io/library/${ref}` || tag.endsWith(`/${ref}`) || tag === `${ref}:latest`))
  const [first] = wanted
  if (first !== undefined && wanted.length === 1) return first
  const names = images.flatMap(({ tags }) => tags).slice(0, 20).map(quote).join(', ')
  const hint = names === '' ? {} : { hint: `name one of ${names} after a colon` }
  if (first === undefined) throw new RktError('not-found', `cannot use ${quote(text)}: there is no such image in it`, hint)
  throw new RktError('ambiguous', `cannot use ${quote(text)}: it holds ${wanted.length} images`, hint)
}

function readImage(json: unknown): ArchivedImage | undefined {
  if (typeof json !== 'object' || json === null || !('Config' in json) || !('Layers' in json)) return undefined
  const { Config: config, Layers: layers } = json
  const tags = 'RepoTags' in json ? (json.RepoTags ?? []) : []
  return typeof config === 'string' && areTexts(layers) && areTexts(tags) ? { config, layers, tags } : undefined
}

function areTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((one) => typeof one === 'string')
}
