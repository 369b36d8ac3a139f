import { quote, type Log } from '../base/index.ts'
import { formatName } from '../fetch/index.ts'
import type { ImageRecord } from './record.ts'

/**
 * Warns when a server hands out an image that was signed before the one that it handed out earlier for the same request: a tag that was
 * moved back, or an old answer played again. Both are signed, so only a policy can refuse it.
 */
export function warnOfOlder(record: ImageRecord, before: ImageRecord | undefined, log: Log): void {
  const [signedAt, signedBefore] = [dateOf(record), before === undefined ? undefined : dateOf(before)]
  if (before === undefined || before.id === record.id || signedAt === undefined || signedBefore === undefined || Date.parse(signedAt) >= Date.parse(signedBefore)) return
  const name = quote(formatName(record.name, record.labels.filter((label) => label.name === 'version')))
  log.notice('image', `warning: ${name} was signed at ${signedAt}, before the stored ${quote(before.id)} (${signedBefore}): the server may offer an old build`)
}

function dateOf({ verdict }: ImageRecord): string | undefined {
  return verdict.kind === 'signed' ? verdict.signedAt : undefined
}
