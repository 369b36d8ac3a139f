import type { Signer } from './signer.ts'
import type { Verdict } from './verdict.ts'

let makeSigned: <T>(value: T, signers: readonly Signer[]) => Signed<T>
let makeWaived: <T>(value: T, at: Date) => Waived<T>
let makeVerified: <T>(value: T, verdict: Verdict) => Verified<T>

/** A value that a stored key signed, and that key is still good; for which name it counts is not yet known. */
export class Signed<T> {
  readonly kind = 'signed'
  readonly value: T
  /** Every good signature, at least one. */
  readonly signers: readonly Signer[]

  static {
    makeSigned = (value, signers) => new Signed(value, signers)
  }

  private constructor(value: T, signers: readonly Signer[]) {
    this.value = value
    this.signers = signers
  }
}

/** A value whose signature the user asked not to check. */
export class Waived<T> {
  readonly kind = 'waived'
  readonly value: T
  readonly at: Date

  static {
    makeWaived = (value, at) => new Waived(value, at)
  }

  private constructor(value: T, at: Date) {
    this.value = value
    this.at = at
  }
}

/** A value that may be stored and run, with the reason. */
export class Verified<T> {
  readonly value: T
  readonly verdict: Verdict

  static {
    makeVerified = (value, verdict) => new Verified(value, verdict)
  }

  private constructor(value: T, verdict: Verdict) {
    this.value = value
    this.verdict = verdict
  }
}

/** Only `checkSignature` calls this. */
export function signed<T>(value: T, signers: readonly Signer[]): Signed<T> {
  return makeSigned(value, signers)
}

/** Only `waive` calls this. */
export function waived<T>(value: T, at: Date): Waived<T> {
  return makeWaived(value, at)
}

/** Only `authorize` calls this. */
export function verified<T>(value: T, verdict: Verdict): Verified<T> {
  return makeVerified(value, verdict)
}
