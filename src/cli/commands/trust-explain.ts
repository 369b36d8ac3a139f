import { escapeText, quote } from '../../base/index.ts'
import { formatName } from '../../fetch/index.ts'
import { openStore, type ImageRecord } from '../../store/index.ts'
import { groupFingerprint, type Verdict } from '../../trust/index.ts'
import { usage } from '../arguments.ts'
import type { Context } from '../context.ts'
import { explainChain, type ChainExplanation, type Explanation } from '../explanation.ts'
import { formatJson, parseFormat } from '../format.ts'
import type { Invocation } from '../parse/invocation.ts'

/** `rkt trust explain IMAGE`: which key in which file decided for which names, when, and what the answer is now; the same for what it depends on. */
export async function explainTrust(context: Context, invocation: Invocation): Promise<number> {
  const [, text, more] = invocation.words
  if (text === undefined || more !== undefined) throw usage(invocation, 'must provide one image')
  const format = parseFormat(invocation.flags.text('format'))
  const store = openStore(context.dataDir, { create: false, log: context.log })
  const record = store.find(text)
  const explanation = await explainChain(context, store, record)
  context.out(format === 'table' ? wholeText(record, explanation) : formatJson(wholeJson(record, explanation), { pretty: format === 'json-pretty' }))
  return 0
}

/** One block of lines for each image. */
function wholeText(record: ImageRecord, explanation: ChainExplanation): string {
  const below = explanation.dependencies.map((one) => `\ndependency of: ${record.name}\n${asText(one.record, one.explanation)}`)
  return [asText(record, explanation), ...below].join('\n')
}

function wholeJson(record: ImageRecord, explanation: ChainExplanation): object {
  const below = explanation.dependencies.map((one) => asJson(one.record, one.explanation))
  return { ...asJson(record, explanation), ...(below.length === 0 ? {} : { dependencies: below }) }
}

function asText(record: ImageRecord, { verdict, now, command }: Explanation): string {
  const rows: readonly (readonly [string, string])[] = [
    ['image', record.id],
    ['name', formatName(record.name, record.labels.filter(({ name }) => name === 'version'))],
    ...verdictRows(verdict),
    ['now', now.state === 'ok' ? 'ok' : `refused (${now.error.code}): ${now.error.message}`],
    ['change', command],
  ]
  // Identities of keys are text from outside.
  return rows.map(([name, value]) => `${name}: ${escapeText(value)}`).join('\n')
}

function verdictRows(verdict: Verdict): readonly (readonly [string, string])[] {
  if (verdict.kind === 'waived') return [['verdict', `waived by ${verdict.reason}`], ['judged', verdict.at]]
  return [
    ['verdict', 'signed'],
    ['key', groupFingerprint(verdict.keyFingerprint)],
    ...(verdict.fingerprint === verdict.keyFingerprint ? [] : [['subkey', groupFingerprint(verdict.fingerprint)] as const]),
    ...verdict.signerIdentities.map((identity) => ['signer', identity] as const),
    ...(verdict.coSigners ?? []).map((id) => ['with', groupFingerprint(id)] as const),
    ['file', verdict.keyPath],
    ['kind', verdict.signatureKind],
    ['trusted for', verdict.scope.kind === 'root' ? 'every image' : `prefix ${quote(verdict.scope.prefix)}`],
    ['policy', verdict.policy ?? 'built in: one trusted, valid key for the prefix'],
    ['name is', verdict.nameSource === 'requested' ? 'as requested' : 'self-declared'],
    ['signed', verdict.signedAt ?? 'no date'],
    ['expires', verdict.expiresAt ?? 'never'],
    ['judged', verdict.judgedAt],
  ]
}

function asJson(record: ImageRecord, { verdict, now, command }: Explanation): object {
  const { id, name, labels } = record
  return {
    id,
    name,
    labels,
    verdict,
    now: now.state === 'ok' ? { state: 'ok' } : { state: 'refused', code: now.error.code, reason: now.error.message },
    command,
  }
}
