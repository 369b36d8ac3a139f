import { RktError } from '../base/index.ts'
import { asACIdentifier, type ACIdentifier } from '../spec/index.ts'
import type { TrustScope } from './scope.ts'

/** Where the name came from that the signer was trusted for. */
export type NameSource = 'requested' | 'self-declared'

/** Why an image may run, as kept in its record; instants are ISO 8601 in UTC. */
export type Verdict = SignedVerdict | WaivedVerdict

export interface SignedVerdict {
  readonly kind: 'signed'
  /** The key or subkey that signed. */
  readonly fingerprint: string
  /** Its primary key. */
  readonly keyFingerprint: string
  /** As in the key, unescaped: quote them before they reach a terminal. */
  readonly signerIdentities: readonly string[]
  readonly scope: TrustScope
  readonly keyPath: string
  readonly signedAt: string
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
  return {
    kind,
    fingerprint: fields.fingerprint('fingerprint'),
    keyFingerprint: fields.fingerprint('keyFingerprint'),
    signerIdentities: fields.texts('signerIdentities'),
    scope: parseScope(fields.value('scope')),
    keyPath: fields.text('keyPath'),
    signedAt: fields.instant('signedAt'),
    ...(fields.value('expiresAt') === undefined ? {} : { expiresAt: fields.instant('expiresAt') }),
    nameSource,
    judgedAt: fields.instant('judgedAt'),
    trustState: fields.text('trustState'),
  }
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
    if (!/^[0-9a-f]{40}$/.test(text)) throw damaged(name)
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
