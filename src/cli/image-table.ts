import { RktError } from '../base/index.ts'
import { humanSize } from './sizes.ts'
import { longTime, relativeTime } from './times.ts'

/** What `rkt image list` knows of one image. */
export interface ListedImage {
  readonly id: string
  /** `name[:version]`. */
  readonly name: string
  readonly format: 'aci' | 'oci'
  /** Digest of the manifest of an OCI image. */
  readonly alias?: string
  /** Bytes of the blob and the rendered tree. */
  readonly sizeBytes: number
  readonly importedAtMs: number
  readonly lastUsedMs: number
}

interface Field {
  readonly title: string
  readonly cell: (image: ListedImage, options: { readonly full: boolean; readonly nowMs: number }) => string
  readonly compare?: (a: ListedImage, b: ListedImage) => number
}

type FieldName = 'id' | 'name' | 'size' | 'importtime' | 'lastused' | 'format' | 'alias'

const fields: Readonly<Record<FieldName, Field>> = {
  id: { title: 'ID', cell: ({ id }, { full }) => (full ? id : id.slice(0, 19)) },
  name: { title: 'NAME', cell: ({ name }) => name, compare: (a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0) },
  size: {
    title: 'SIZE',
    cell: ({ sizeBytes }, { full }) => (full ? String(sizeBytes) : humanSize(sizeBytes)),
    compare: (a, b) => a.sizeBytes - b.sizeBytes,
  },
  importtime: {
    title: 'IMPORT TIME',
    cell: ({ importedAtMs }, { full, nowMs }) => (full ? longTime(importedAtMs) : relativeTime(importedAtMs, nowMs)),
    compare: (a, b) => a.importedAtMs - b.importedAtMs,
  },
  lastused: {
    title: 'LAST USED',
    cell: ({ lastUsedMs }, { full, nowMs }) => (full ? longTime(lastUsedMs) : relativeTime(lastUsedMs, nowMs)),
    compare: (a, b) => a.lastUsedMs - b.lastUsedMs,
  },
  format: { title: 'FORMAT', cell: ({ format }) => format, compare: (a, b) => (a.format < b.format ? -1 : a.format > b.format ? 1 : 0) },
  alias: { title: 'ALIAS', cell: ({ alias = '-' }, { full }) => (full ? alias : alias.slice(0, 19)) },
}

/** Fields by which nothing is sorted. */
const unsorted: readonly string[] = ['id', 'alias']

/** @throws RktError `usage` for a field that does not exist, or twice. */
export function parseFields(text: string, flag: 'fields' | 'sort'): readonly FieldName[] {
  const names: FieldName[] = []
  for (const word of text.split(',').map((part) => part.trim().toLowerCase())) {
    if (!isField(word) || (flag === 'sort' && unsorted.includes(word))) throw new RktError('usage', `invalid argument ${JSON.stringify(text)} for --${flag}: unknown option ${JSON.stringify(word)}`)
    if (names.includes(word)) throw new RktError('usage', `invalid argument ${JSON.stringify(text)} for --${flag}: duplicated option ${JSON.stringify(word)}`)
    names.push(word)
  }
  return names
}

function isField(word: string): word is FieldName {
  return Object.hasOwn(fields, word)
}

/** Sorts by the first field, equal ones by the next. */
export function sortImages(images: readonly ListedImage[], by: readonly FieldName[], order: 'asc' | 'desc'): readonly ListedImage[] {
  const sign = order === 'asc' ? 1 : -1
  const compare = (a: ListedImage, b: ListedImage): number => {
    for (const name of by) {
      const difference = fields[name].compare?.(a, b) ?? 0
      if (difference !== 0) return sign * difference
    }
    return 0
  }
  return [...images].sort(compare)
}

/** Rows of `rkt image list`. */
export function imageRows(
  images: readonly ListedImage[],
  options: { readonly fields: readonly FieldName[]; readonly legend: boolean; readonly full: boolean; readonly nowMs: number },
): readonly (readonly string[])[] {
  const chosen = options.fields.map((name) => fields[name])
  const legend = options.legend ? [chosen.map(({ title }) => title)] : []
  return [...legend, ...images.map((image) => chosen.map(({ cell }) => cell(image, options)))]
}

/** An image as `rkt image list --format=json` prints it; times are nanoseconds since 1970. */
export function imageJson(image: ListedImage): Readonly<Record<string, string | number>> {
  const nanoseconds = (timeMs: number): number => Math.round(timeMs * 1e6)
  const { id, name, format, alias } = image
  const times = { import_time: nanoseconds(image.importedAtMs), last_used_time: nanoseconds(image.lastUsedMs) }
  // The members of the original, which knew one format only.
  return { id, name, ...times, size: image.sizeBytes, ...(alias === undefined ? {} : { format, alias }) }
}
