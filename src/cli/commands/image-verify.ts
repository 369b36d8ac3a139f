import { join } from 'node:path'
import { isRktError, lockFile, quote, unreachable } from '../../base/index.ts'
import { formatName } from '../../fetch/index.ts'
import { inUse, openPods } from '../../pod/index.ts'
import { openStore, verifyImage, type ImageRecord, type Store, type VerifyOutcome } from '../../store/index.ts'
import { takeSome } from '../arguments.ts'
import type { Context } from '../context.ts'
import type { Invocation } from '../parse/invocation.ts'

/** Compares rendered trees with what was unpacked, and renders damaged ones anew. */
export async function run(context: Context, invocation: Invocation): Promise<number> {
  const texts = takeSome(invocation, 'image')
  const store = openStore(context.dataDir, { create: false, log: context.log })
  for (const text of texts) {
    const record = store.find(text)
    const name = quote(formatName(record.name, record.labels.filter((label) => label.name === 'version')))
    const outcome = await verify(context, store, record)
    switch (outcome) {
      case 'verified':
      case 'rebuilt':
        context.out(`successfully verified checksum for image: ${name} (${quote(record.id)})`)
        break
      case 'not-rendered':
        context.out(`image ${name} not rendered; no verification needed`)
        break
      default:
        unreachable(outcome)
    }
  }
  return 0
}

/** Only to replace a damaged tree are new pods kept waiting. */
async function verify({ dataDir, log, signal }: Context, store: Store, record: ImageRecord): Promise<VerifyOutcome> {
  try {
    return await verifyImage(store, record, { log, signal, inUse: true })
  } catch (error) {
    if (!isRktError(error, 'corrupted')) throw error
  }
  using _lock = lockFile(join(dataDir, 'locks', 'prepareLock'), { mode: 'exclusive', wait: 'block' })
  return await verifyImage(store, record, { log, signal, inUse: isInUse(inUse(openPods(dataDir)).trees, record) })
}

/** Trees of layers may be in use by pods of other images. */
function isInUse(trees: ReadonlySet<string>, record: ImageRecord): boolean {
  return trees.has(record.treeID) || (record.kind === 'oci' && record.trees.some((id) => trees.has(id)))
}
