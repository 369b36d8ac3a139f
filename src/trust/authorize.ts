import { quote, reveal, RktError, type Unverified } from '../base/index.ts'
import type { ACIdentifier } from '../spec/index.ts'
import type { Keystore, TrustedKey } from './keystore.ts'
import { covers, scopeText } from './scope.ts'
import type { Signer } from './signer.ts'
import { trustHint } from './trust-hint.ts'
import type { NameSource, SignedVerdict } from './verdict.ts'
import { verified, waived, type Signed, type Verified, type Waived } from './verified.ts'

export interface AuthorizeOptions {
  /** The name that the image has, and that its manifest says. */
  readonly name: ACIdentifier
  readonly nameSource: NameSource
  readonly keystore: Keystore
  readonly now: Date
}

/** Takes a blob in without a check of its signature, because the user said so; the reason is kept with the image for good. */
export function waive<T>(blob: Unverified<T>, options: { readonly reason: '--insecure-options=image'; readonly now: Date }): Waived<T> {
  return waived(reveal(blob, 'waive'), options.now)
}

/**
 * Answers whether one of the signers is trusted for this very name, and makes the only values that may be stored and run.
 *
 * @throws RktError `key-untrusted` naming for what the key is trusted instead.
 */
export function authorize<T>(checked: Signed<T> | Waived<T>, options: AuthorizeOptions): Verified<T> {
  if (checked.kind === 'waived') {
    return verified(checked.value, { kind: 'waived', reason: '--insecure-options=image', at: checked.at.toISOString() })
  }
  // The state is read first: a change between the two reads makes the verdict stale, never too good.
  const trustState = options.keystore.stateFor(options.name)
  const trusted = options.keystore.keysFor(options.name)
  const signer = checked.signers.find(({ key }) => trusted.some((candidate) => isSameKey(candidate, key)))
  if (signer === undefined) throw notFor(checked.signers, options)
  return verified(checked.value, signedVerdict(signer, { ...options, trustState }))
}

/** The same file with the same content: a copy of the key elsewhere may lack a revocation. */
function isSameKey(a: TrustedKey, b: TrustedKey): boolean {
  return a.path === b.path && Buffer.from(a.armored).equals(b.armored)
}

function signedVerdict(signer: Signer, options: AuthorizeOptions & { readonly trustState: string }): SignedVerdict {
  return {
    kind: 'signed',
    fingerprint: signer.fingerprint,
    keyFingerprint: signer.key.fingerprint,
    signerIdentities: signer.identities,
    scope: signer.key.scope,
    keyPath: signer.key.path,
    signedAt: signer.signedAt.toISOString(),
    ...(Number.isFinite(signer.expiresAtMs) ? { expiresAt: new Date(signer.expiresAtMs).toISOString() } : {}),
    nameSource: options.nameSource,
    judgedAt: options.now.toISOString(),
    trustState: options.trustState,
  }
}

function notFor(signers: readonly Signer[], { name }: AuthorizeOptions): RktError {
  const keys = signers.map(({ key }) => key)
  const fingerprint = keys[0]?.fingerprint ?? ''
  const masked = keys.find(({ scope }) => covers(scope, name))
  const state =
    masked === undefined
      ? `key ${fingerprint} is trusted for ${[...new Set(keys.map(({ scope }) => scopeText(scope)))].join(', ')} only`
      : `key ${masked.fingerprint} is stored in ${quote(masked.path)}, but masked or replaced for this name`
  return new RktError('key-untrusted', `cannot use image ${quote(name)}: openpgp: signature made by unknown entity; ${state}`, {
    hint: trustHint({ name, keyPath: keys[0]?.path }),
  })
}
