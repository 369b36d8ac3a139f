import { quote, RktError } from '../../base/index.ts'
import type { ExportImageOptions } from '../export-image.ts'
import type { Layout } from '../layout.ts'
import type { OciRecord } from './record.ts'

export async function exportOci(_layout: Layout, record: OciRecord, { out }: ExportImageOptions): Promise<void> {
  throw new RktError('unsupported', `cannot export image ${quote(record.id)} to ${quote(out)}`)
}
