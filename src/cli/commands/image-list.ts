import { RktError } from '../../base/index.ts'
import { valueOf } from '../../spec/index.ts'
import { aliasOf, namesOf, openStore, type ImageRecord } from '../../store/index.ts'
import { takeNone } from '../arguments.ts'
import type { Context } from '../context.ts'
import { formatJson, parseFormat } from '../format.ts'
import { imageJson, imageRows, parseFields, sortImages, type ListedImage } from '../image-table.ts'
import type { Invocation } from '../parse/invocation.ts'
import { tabulate } from '../tabulate.ts'

/** Lists the stored images; a damaged record is told of and does not hide the others. */
export async function run(context: Context, invocation: Invocation): Promise<number> {
  const { flags } = invocation
  takeNone(invocation)
  const format = parseFormat(flags.text('format'))
  const fields = parseFields(flags.text('fields') ?? '', 'fields')
  const sort = parseFields(flags.text('sort') ?? '', 'sort')
  const order = flags.text('order')
  if (order !== 'asc' && order !== 'desc') throw new RktError('usage', `invalid argument ${JSON.stringify(order)} for --order: expected asc or desc`)
  const images = sortImages(listImages(context), sort, order)
  if (format === 'table') {
    context.out(tabulate(imageRows(images, { fields, legend: !flags.bool('no-legend'), full: flags.bool('full'), nowMs: context.now() })))
  } else {
    context.out(formatJson(images.length === 0 ? null : images.map(imageJson), { pretty: format === 'json-pretty' }))
  }
  return 0
}

function listImages({ dataDir, log }: Context): readonly ListedImage[] {
  const store = openStore(dataDir, { create: false, log })
  return store.readings().flatMap((reading): ListedImage[] => {
    if (reading.kind !== 'image') {
      log.warn(reading.kind === 'corrupted' ? reading.error.message : `cannot use image "${reading.id}": its record cannot be trusted: ${reading.fault}`)
      return []
    }
    const { record, lastUsedMs } = reading
    const { blobBytes, treeBytes } = store.sizes(record)
    const common = { id: record.id, sizeBytes: blobBytes + treeBytes, importedAtMs: record.importedAtMs, lastUsedMs }
    if (record.kind === 'aci') return [{ ...common, format: 'aci', name: nameOf(record) }]
    // One line for each name by which the image can be asked for.
    return namesOf(record).map((one) => ({ ...common, format: 'oci', alias: aliasOf(record), name: nameOf(one) }))
  })
}

function nameOf({ name, labels }: Pick<ImageRecord, 'name' | 'labels'>): string {
  const version = valueOf(labels, 'version')
  return version === undefined ? name : `${name}:${version}`
}
