import { RktError } from '../base/index.ts'
import { asACIdentifier, signatureKinds, type ACIdentifier, type SignatureKind } from '../spec/index.ts'
import type { TrustScope } from './scope.ts'
import { isSignerID } from './signer-id.ts'

/** Where the name came from that the signer was trusted for. */
export type NameSource = 'requested' | 'self-declared'

/** Why an image may run, as kept in its record; instants are ISO 8601 in UTC. */
export type Verdict = SignedVerdict | WaivedVerdict

export interface SignedVerdict {
  readonly kind: 'signed'
  readonly signatureKind: SignatureKind
  /** The key or subkey that signed; of a Sigstore signer, its name in the keystore. */
  readonly fingerprint: string
  /** Its primary key: the name of the stored key or identity. */
  readonly keyFingerprint: string
  /** As in the key, unescaped: quote them before they reach a terminal. */
  readonly signerIdentities: readonly string[]
  readonly scope: TrustScope
  readonly keyPath: string
  /** The other signers whom the policy asks for. */
  readonly coSigners?: readonly string[]
  /** File of the policy; absent for the built-in one. */
  readonly policy?: string
  /** Absent where the kind of signature has no date. */
  readonly signedAt?: string
  /** When signature or key end at the latest; absent when they do not. */
  readonly expiresAt?: string
  readonly nameSource: NameSource
  readonly judgedAt: string
  /** `Keystore.stateFor` the image's name when this was judged. */
  readonly trustState: string
}

export interface WaivedVerdict {
  readonly kind: 'waived'
  readonly reason: '--insecure-options=image'
  readonly at: string
}

/**
 * Reads a verdict back from JSON.
 *
 * @throws RktError `corrupted` naming the first field that is wrong.
 */
export function parseVerdict(json: unknown): Verdict {
  const fields = new Fields(json)
  const kind = fields.text('kind')
  if (kind === 'waived') {
    if (fields.text('reason') !== '--insecure-options=image') throw damaged('reason')
    return { kind, reason: '--insecure-options=image', at: fields.instant('at') }
  }
  if (kind !== 'signed') throw damaged('kind')
  const nameSource = fields.text('nameSource')
  if (nameSource !== 'requested' && nameSource !== 'self-declared') throw damaged('nameSource')
  const signatureKind = parseKind(fields.value('signatureKind'))
  return {
    kind,
    signatureKind,
    fingerprint: fields.fingerprint('fingerprint'),
    keyFingerprint: fields.fingerprint('keyFingerprint'),
    signerIdentities: fields.texts('signerIdentities'),
    scope: parseScope(fields.value('scope')),
    keyPath: fields.text('keyPath'),
    ...(fields.value('coSigners') === undefined ? {} : { coSigners: fields.texts('coSigners') }),
    ...(fields.value('policy') === undefined ? {} : { policy: fields.text('policy') }),
    ...(fields.value('signedAt') === undefined && signatureKind !== 'openpgp' ? {} : { signedAt: fields.instant('signedAt') }),
    ...(fields.value('expiresAt') === undefined ? {} : { expiresAt: fields.instant('expiresAt') }),
    nameSource,
    judgedAt: fields.instant('judgedAt'),
    trustState: fields.text('trustState'),
  }
}

function parseKind(json: unknown): SignatureKind {
  const kind = signatureKinds.find((one) => one === json)
  if (kind === undefined) throw damaged('signatureKind')
  return kind
}

function parseScope(json: unknown): TrustScope {
  const fields = new Fields(json)
  const kind = fields.text('kind')
  if (kind === 'root') return { kind }
  const prefix: ACIdentifier | undefined = asACIdentifier(fields.text('prefix'))
  if (kind !== 'prefix' || prefix === undefined) throw damaged('scope')
  return { kind, prefix }
}

/** Own fields of a JSON object, each read with its type. */
class Fields {
  readonly #object: object

  constructor(json: unknown) {
    if (typeof json !== 'object' || json === null) throw damaged('')
    this.#object = json
  }

  value(name: string): unknown {
    const descriptor = Object.getOwnPropertyDescriptor(this.#object, name)
    return descriptor?.value
  }

  text(name: string): string {
    const value = this.value(name)
    if (typeof value !== 'string') throw damaged(name)
    return value
  }

  texts(name: string): string[] {
    const value = this.value(name)
    if (!Array.isArray(value)) throw damaged(name)
    return value.map((item: unknown) => {
      if (typeof item !== 'string') throw damaged(name)
      return item
    })
  }

  fingerprint(name: string): string {
    const text = this.text(name)
    if (!isSignerID(text)) throw damaged(name)
    return text
  }

  instant(name: string): string {
    const text = this.text(name)
    const ms = Date.parse(text)
    if (Number.isNaN(ms) || new Date(ms).toISOString() !== text) throw damaged(name)
    return text
  }
}

function damaged(field: string): RktError {
  return new RktError('corrupted', `cannot use the verdict of an image record: field "${field}" is damaged; expected what an import writes`)
}
