import { limits, quote, RktError, type ImageID } from '../base/index.ts'
import type { Dependency } from '../spec/index.ts'
import { checkExpectation } from './check-manifest.ts'
import { writeRecord } from './commit.ts'
import { manifestOf } from './compose-tree.ts'
import { takeLock } from './locks.ts'
import type { AciRecord } from './record.ts'
import { readAci } from './records.ts'
import { makeScratch } from './scratch.ts'
import type { Store } from './store.ts'
import { treeIDOf } from './tree-id.ts'

export interface ResolveLayersOptions {
  readonly signal: AbortSignal
  /** Finds or fetches one dependency, and judges it like every image that is asked for. */
  readonly acquire: (dependency: Dependency) => Promise<AciRecord>
}

/**
 * The image with the chain that it renders to now, every member of it judged; an image that depends on nothing as it is.
 *
 * The order is from the top down: an image, then its last dependency with all that is below that, and so on to its first.
 *
 * @throws RktError `invalid-manifest` for an image that depends on itself, `limit-exceeded`, `name-mismatch`, and what `acquire` throws.
 */
export async function resolveLayers(store: Store, record: AciRecord, { signal, acquire }: ResolveLayersOptions): Promise<AciRecord> {
  if (record.layers === undefined) return record
  const layers = (await walkChain(store, record, { signal, acquire })).map(({ id }) => id)
  return layers.join() === record.layers.join() ? record : await keepLayers(store, { record, layers, signal })
}

/**
 * The image and all that it depends on, in the same order, as `acquire` finds them; nothing is written.
 *
 * @throws RktError as `resolveLayers`.
 */
export async function walkChain({ layout }: Pick<Store, 'layout'>, record: AciRecord, { signal, acquire }: ResolveLayersOptions): Promise<AciRecord[]> {
  const chain: AciRecord[] = []
  const visit = async (image: AciRecord, above: readonly AciRecord[]): Promise<void> => {
    checkPath(image, above)
    if (chain.length > limits.dependencyImages) throw tooMany(record, `more than ${limits.dependencyImages} images (dependencyImages)`)
    chain.push(image)
    const manifest = await manifestOf(layout, image, signal)
    for (const dependency of manifest?.dependencies.toReversed() ?? []) await visit(await acquireOne(dependency, acquire), [...above, image])
  }
  await visit(record, [])
  return chain
}

async function acquireOne(dependency: Dependency, acquire: ResolveLayersOptions['acquire']): Promise<AciRecord> {
  const record = await acquire(dependency)
  checkExpectation(record, { name: dependency.imageName, labels: dependency.labels })
  if (dependency.imageID === undefined || dependency.imageID === record.id) return record
  throw new RktError('name-mismatch', `cannot use image ${quote(record.id)} as dependency ${quote(dependency.imageName)}: expected ${quote(dependency.imageID)}`)
}

function checkPath(image: AciRecord, above: readonly AciRecord[]): void {
  const [top] = above
  if (top === undefined) return
  if (above.some(({ id }) => id === image.id)) {
    const way = [...above, image].map(({ name }) => quote(name)).join(' → ')
    throw new RktError('invalid-manifest', `cannot use image ${quote(top.name)}: an image depends on itself: ${way}`)
  }
  if (above.length > limits.dependencyDepth) throw tooMany(top, `a chain of more than ${limits.dependencyDepth} (dependencyDepth)`)
}

function tooMany({ name }: AciRecord, what: string): RktError {
  return new RktError('limit-exceeded', `cannot use image ${quote(name)}: it depends on ${what}`)
}

/** Writes down what was found, so that other commands know the tree; who may not write uses the answer all the same. */
async function keepLayers(
  { layout }: Store,
  { record, layers, signal }: { readonly record: AciRecord; readonly layers: readonly ImageID[]; readonly signal: AbortSignal },
): Promise<AciRecord> {
  const rendering = { layers, treeID: treeIDOf(layers), treeHash: undefined }
  using _lock = await takeLock(layout, { kind: 'image', id: record.id }, signal)
  const reading = readAci(layout, record.id)
  if (reading === undefined || reading.ownerUid !== process.geteuid?.() || reading.record.blob !== record.blob) return { ...record, ...rendering }
  using scratch = makeScratch(layout)
  return writeRecord(layout, { scratch, record: { ...reading.record, ...rendering } })
}
