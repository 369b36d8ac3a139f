import { judgeVerdict, type Verdict } from '../../trust/index.ts'
import type { JudgeStoredOptions } from '../judge-stored.ts'
import type { Layout } from '../layout.ts'
import { damaged } from '../blob.ts'
import { readOciImage } from './manifest.ts'
import type { OciRecord } from './record.ts'

/** As `judgeStored`: documents and config are compared with their digests each time, which takes no time. */
export async function judgeOci(layout: Layout, record: OciRecord, options: JudgeStoredOptions): Promise<OciRecord> {
  const verdict = await askOciVerdict(layout, record, options)
  return verdict === record.verdict ? record : { ...record, verdict }
}

/** As `askVerdict`. */
export async function askOciVerdict(layout: Layout, record: OciRecord, { keystore, insecure, now }: JudgeStoredOptions): Promise<Verdict> {
  readOciImage(layout, record)
  const judged = judgeVerdict(record.verdict, { name: record.name, keystore, now, insecure })
  if (judged !== 'ok') throw damaged(record, 'its verdict does not stand any more')
  return record.verdict
}
