import { quote, reveal, RktError, type Unverified } from '../base/index.ts'
import type { ACIdentifier } from '../spec/index.ts'
import type { Keystore } from './keystore.ts'
import { applyPolicy, checkLock, type Approval } from './policy/apply-policy.ts'
import type { Policy } from './policy/policy.ts'
import { covers, scopeText } from './scope.ts'
import type { Signer } from './signer.ts'
import { trustHint } from './trust-hint.ts'
import type { TrustedSigner } from './trusted-signer.ts'
import type { NameSource, SignedVerdict } from './verdict.ts'
import { verified, waived, type Signed, type Verified, type Waived } from './verified.ts'

export interface AuthorizeOptions {
  /** The name that the image has, and that its manifest says. */
  readonly name: ACIdentifier
  readonly nameSource: NameSource
  /** Version of the image as its signed content says it. */
  readonly version?: string | undefined
  /** How commands call an OCI image where it comes from. */
  readonly image?: string | undefined
  readonly keystore: Keystore
  readonly now: Date
}

/** Takes a blob in without a check of its signature, because the user said so; the reason is kept with the image for good. */
export function waive<T>(blob: Unverified<T>, options: { readonly reason: '--insecure-options=image'; readonly now: Date }): Waived<T> {
  return waived(reveal(blob, 'waive'), options.now)
}

/**
 * Answers whether the signers are trusted for this very name and are those that the policy asks for, and makes the only values that
 * may be stored and run.
 *
 * @throws RktError `key-untrusted` naming for what the key is trusted instead, `policy-refused`, `invalid-config`.
 */
export function authorize<T>(checked: Signed<T> | Waived<T>, options: AuthorizeOptions): Verified<T> {
  const { name, keystore } = options
  // The state is read first: a change between the two reads makes the verdict stale, never too good.
  const trustState = keystore.stateFor(name)
  const policy = keystore.policies.policyFor(name)
  if (checked.kind === 'waived') {
    checkLock(policy, name)
    return verified(checked.value, { kind: 'waived', reason: '--insecure-options=image', at: checked.at.toISOString() })
  }
  const trusted = keystore.signersFor(name)
  const signers = checked.signers.filter(({ key }) => trusted.some((candidate) => isSameKey(candidate, key)))
  if (signers.length === 0) throw notFor(checked.signers, options)
  const { version, nameSource, now, image } = options
  const approval = applyPolicy(policy, signers, { name, nameSource, version, now, image })
  return verified(checked.value, signedVerdict(approval, { options, trustState, policy }))
}

/** The same file with the same content: a copy of the key elsewhere may lack a revocation. */
function isSameKey(a: TrustedSigner, b: TrustedSigner): boolean {
  return a.path === b.path && Buffer.from(a.content).equals(b.content)
}

interface Decision {
  readonly options: AuthorizeOptions
  readonly trustState: string
  readonly policy: Policy
}

function signedVerdict({ signers: [signer, ...others], expiresAtMs }: Approval, { options, trustState, policy }: Decision): SignedVerdict {
  const dates = [signer, ...others].flatMap(({ signedAt }) => signedAt ?? [])
  const [signedAt] = dates.sort((a, b) => b.getTime() - a.getTime())
  return {
    kind: 'signed',
    signatureKind: signer.kind,
    fingerprint: signer.fingerprint,
    keyFingerprint: signer.key.id,
    signerIdentities: signer.identities,
    scope: signer.key.scope,
    keyPath: signer.key.path,
    ...(others.length === 0 ? {} : { coSigners: others.map(({ key }) => key.id) }),
    ...(policy.path === undefined ? {} : { policy: policy.path }),
    ...(signedAt === undefined ? {} : { signedAt: signedAt.toISOString() }),
    ...(Number.isFinite(expiresAtMs) ? { expiresAt: new Date(expiresAtMs).toISOString() } : {}),
    nameSource: options.nameSource,
    judgedAt: options.now.toISOString(),
    trustState,
  }
}

function notFor(signers: readonly Signer[], { name, keystore }: AuthorizeOptions): RktError {
  const keys = signers.map(({ key }) => key)
  const id = keys[0]?.id ?? ''
  const masked = keys.find(({ scope }) => covers(scope, name))
  const state =
    masked === undefined
      ? `key ${id} is trusted for ${[...new Set(keys.map(({ scope }) => scopeText(scope)))].join(', ')} only`
      : `key ${masked.id} is stored in ${quote(masked.path)}, but masked or replaced for this name`
  return new RktError('key-untrusted', `cannot use image ${quote(name)}: openpgp: signature made by unknown entity; ${state}`, {
    hint: trustHint({ name, signer: keys[0], isLocked: keystore.policies.policyFor(name).lockedBy !== undefined }),
  })
}
