import { quote } from '../../base/index.ts'
import { imageOfChain, judgeVerdict, parseEvidence, verifyOciImage, type Verdict } from '../../trust/index.ts'
import { damaged } from '../blob.ts'
import { imageByID } from '../find.ts'
import type { JudgeStoredOptions } from '../judge-stored.ts'
import type { Layout } from '../layout.ts'
import { takeLock } from '../locks.ts'
import { readRecord } from '../records.ts'
import { makeScratch } from '../scratch.ts'
import { readBlobOf } from './blobs.ts'
import { writeOci } from './commit.ts'
import { readOciImage } from './manifest.ts'
import { aliasOf, isSameName, namesOf, underName, type OciRecord } from './record.ts'

/**
 * As `judgeStored`, under the name of the given record. Manifest and config are compared with their digests each time; who signed is asked
 * again of what was kept, without any network.
 */
export async function judgeOci(layout: Layout, record: OciRecord, options: JudgeStoredOptions): Promise<OciRecord> {
  const verdict = await askOciVerdict(layout, record, options)
  if (verdict === record.verdict) return record
  using _lock = await takeLock(layout, { kind: 'image', id: record.id }, options.signal)
  const stored = imageByID(layout, record.id)
  const known = stored.kind === 'oci' ? namesOf(stored).find((name) => isSameName(name, record)) : undefined
  // Who may only read, or would put a record of its own in the place of root's, uses the answer and asks again the next time.
  const reading = readRecord(layout, record.id)
  if (stored.kind !== 'oci' || known === undefined || reading?.kind !== 'image' || reading.ownerUid !== process.geteuid?.()) return { ...record, verdict }
  using scratch = makeScratch(layout)
  return writeOci(layout, { record: { ...underName(stored, known), verdict }, scratch })
}

/** As `askVerdict`. */
export async function askOciVerdict(layout: Layout, record: OciRecord, { keystore, insecure, now }: JudgeStoredOptions): Promise<Verdict> {
  readOciImage(layout, record)
  const { name, verdict, evidence, source } = record
  if (judgeVerdict(verdict, { name, keystore, now, insecure, image: source.reference }) === 'ok') return verdict
  const isWaived = insecure.image && keystore.policies.policyFor(name).lockedBy === undefined
  if (verdict.kind === 'waived' || isWaived) return verdict
  if (evidence === undefined) throw damaged(record, 'its signatures are missing')
  const { chain, reference, signatures } = parseEvidence(readBlobOf(layout, record, evidence))
  if (chain.at(-1)?.digest !== aliasOf(record)) throw damaged(record, `its signatures are those of ${quote(chain.at(-1)?.digest ?? 'nothing')}`)
  const verified = await verifyOciImage(imageOfChain(chain), { signatures, name, nameSource: verdict.nameSource, reference, image: source.reference, keystore, now })
  return verified.verdict
}
