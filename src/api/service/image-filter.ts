import { posix } from 'node:path'
import type { ImageFilter, ImageMessage } from '../messages/index.ts'
import { any, containsAll } from './pod-filter.ts'

/** Whether an image satisfies every condition of a filter; times are seconds, and both ends are outside. */
export function matchesImage(image: ImageMessage, filter: ImageFilter): boolean {
  const name = image.name ?? ''
  const imported = Math.floor((image.importedAtMs ?? 0) / 1000)
  return (
    any(filter.ids, (id) => id === image.id) &&
    any(filter.fullNames, (full) => full === name) &&
    any(filter.prefixes, (prefix) => name.startsWith(prefix)) &&
    any(filter.baseNames, (base) => base === posix.basename(name)) &&
    any(filter.keywords, (keyword) => name.includes(keyword)) &&
    (filter.importedAfter <= 0 || imported > filter.importedAfter) &&
    (filter.importedBefore <= 0 || imported < filter.importedBefore) &&
    containsAll(image.labels ?? [], filter.labels) &&
    containsAll(image.annotations ?? [], filter.annotations)
  )
}
