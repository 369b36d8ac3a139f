import { describeKey, type KeyDescription } from './describe-key.ts'
import type { Keystore } from './keystore.ts'
import { readPublicKeys } from './public-key.ts'
import { reviewText } from './review-text.ts'
import type { TrustScope } from './scope.ts'

export interface PrepareTrustOptions {
  /** The file as it was read: one or several public keys, armoured or binary. */
  readonly bytes: Uint8Array
  readonly scope: TrustScope
  readonly keystore: Keystore
  /** Where the bytes come from, for messages. */
  readonly what: string
  readonly now: Date
}

/** Keys that were read and described, and are stored only by `commit`. */
export interface PreparedTrust {
  readonly keys: readonly KeyDescription[]
  /** What to show before asking. */
  readonly reviewText: string
  /** Stores every key durably; gives where. */
  commit(): { readonly fingerprint: string; readonly path: string }[]
}

/**
 * Reads the keys of a file for review; nothing is trusted before `commit`.
 *
 * @throws RktError `key-invalid` or `limit-exceeded` when one of the keys cannot be trusted.
 */
export async function prepareTrust({ bytes, scope, keystore, what, now }: PrepareTrustOptions): Promise<PreparedTrust> {
  const found = readPublicKeys(bytes, what)
  const keys: KeyDescription[] = []
  for (const key of found) keys.push(await describeKey(key, { what, now }))
  return {
    keys,
    reviewText: reviewText(keys),
    commit: () => found.map((key) => ({ fingerprint: key.fingerprint, path: keystore.add(scope, key) })),
  }
}
