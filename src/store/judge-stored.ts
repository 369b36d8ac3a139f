import { readFileSync } from 'node:fs'
import { digestParts, isErrno, quote, reveal, RktError } from '../base/index.ts'
import { hashFile } from '../fetch/index.ts'
import { valueOf } from '../spec/index.ts'
import { authorize, checkSignature, judgeVerdict, signatureMissing, type Keystore, type Verdict } from '../trust/index.ts'
import { damaged, isUntouched, openStoredBlob, requireAci } from './blob.ts'
import { writeRecord } from './commit.ts'
import { imageByID } from './find.ts'
import { signaturePath, type Layout } from './layout.ts'
import { takeLock } from './locks.ts'
import type { AciRecord, ImageRecord } from './record.ts'
import { readRecord } from './records.ts'
import { makeScratch } from './scratch.ts'
import type { Store } from './store.ts'

export interface JudgeStoredOptions {
  readonly keystore: Keystore
  readonly insecure: { readonly image: boolean }
  readonly now: Date
  readonly signal: AbortSignal
}

/**
 * Answers whether a stored image may be used now. Nothing is hashed while keys, time and blob are as they were when it was judged;
 * otherwise the stored bytes and their signature are checked from the beginning and the record gets the new verdict.
 *
 * @throws RktError of trust, or `corrupted` when the stored bytes are not those of the record.
 */
export async function judgeStored(layout: Layout, record: ImageRecord, options: JudgeStoredOptions): Promise<ImageRecord> {
  if (record.kind === 'oci') return await (await import('./oci/judge.ts')).judgeOci(layout, record, options)
  return await judgeAci(layout, record, options)
}

/** As `judgeStored`, for an ACI. */
export async function judgeAci(layout: Layout, record: AciRecord, options: JudgeStoredOptions): Promise<AciRecord> {
  return stands(layout, record, options) ? record : reverify(layout, record, options)
}

/**
 * Answers the same for a question alone: the verdict as it is now, and nothing is written.
 *
 * @throws RktError as `judgeStored`.
 */
export async function askVerdict({ layout }: Store, record: ImageRecord, options: JudgeStoredOptions): Promise<Verdict> {
  if (record.kind === 'oci') return await (await import('./oci/judge.ts')).askOciVerdict(layout, record, options)
  return stands(layout, record, options) ? record.verdict : await checkAgain(layout, record, options)
}

function stands(layout: Layout, record: AciRecord, { keystore, insecure, now }: JudgeStoredOptions): boolean {
  return judgeVerdict(record.verdict, { name: record.name, keystore, now, insecure }) === 'ok' && isUntouched(layout, record)
}

async function reverify(layout: Layout, stale: AciRecord, options: JudgeStoredOptions): Promise<AciRecord> {
  const { signal } = options
  using _blobLock = await takeLock(layout, { kind: 'blob', hex: digestParts(stale.blob).hex }, signal)
  using _imageLock = await takeLock(layout, { kind: 'image', id: stale.id }, signal)
  const record = requireAci(imageByID(layout, stale.id))
  if (record.blob !== stale.blob) throw new RktError('busy', `cannot use image ${quote(stale.id)}: it was replaced meanwhile`, { hint: 'run the command again' })
  if (stands(layout, record, options)) return record
  const verdict = await checkAgain(layout, record, options)
  return mayReplace(layout, record) ? replaceRecord(layout, { ...record, verdict }) : { ...record, verdict }
}

/** Who may only read, or would put a record of its own in the place of root's, uses the answer and asks again the next time. */
function mayReplace(layout: Layout, record: AciRecord): boolean {
  const reading = readRecord(layout, record.id)
  return reading?.kind === 'image' && reading.ownerUid === process.geteuid?.()
}

function replaceRecord(layout: Layout, record: AciRecord): AciRecord {
  using scratch = makeScratch(layout)
  return writeRecord(layout, { scratch, record })
}

async function checkAgain(layout: Layout, record: AciRecord, { keystore, now, signal, insecure }: JudgeStoredOptions): Promise<Verdict> {
  using file = openStoredBlob(layout, record)
  const blob = await hashFile(file.path, { signal })
  const { sha512 } = reveal(blob, 'compare digest').digests
  if (Buffer.from(sha512).toString('hex') !== digestParts(record.blob).hex) throw damaged(record, 'its blob was changed')
  const isWaived = insecure.image && keystore.policies.policyFor(record.name).lockedBy === undefined
  if (record.verdict.kind === 'waived' || isWaived) return record.verdict
  const signed = await checkSignature(blob, readStoredSignature(layout, record, keystore), keystore, { now, name: record.name, object: record.name })
  const version = valueOf(record.labels, 'version')
  return authorize(signed, { name: record.name, nameSource: record.verdict.nameSource, version, keystore, now }).verdict
}

function readStoredSignature(layout: Layout, record: AciRecord, keystore: Keystore): Uint8Array {
  try {
    return readFileSync(signaturePath(layout, record.blob))
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error
    throw signatureMissing(record.name, { state: 'its stored signature is missing', name: record.name, image: undefined, keystore })
  }
}
