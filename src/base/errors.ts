/** Every way in which rkt itself can fail, as a closed list; `specs/errors.md` explains each one. */
export const errorCodes = [
  'usage',
  'not-root',
  'not-found',
  'ambiguous',
  'already-exists',
  'busy',
  'wrong-state',
  'invalid-reference',
  'invalid-manifest',
  'invalid-json',
  'invalid-config',
  'invalid-archive',
  'limit-exceeded',
  'io',
  'network',
  'http-status',
  'tls',
  'signature-missing',
  'signature-invalid',
  'key-untrusted',
  'key-invalid',
  'key-expired',
  'key-revoked',
  'name-mismatch',
  'policy-refused',
  'corrupted',
  'unsupported-host',
  'missing-tool',
  'missing-volume',
  'network-setup',
  'launcher',
  'child-failed',
  'cancelled',
  'timeout',
  'unprepared',
  'unsupported',
] as const

export type ErrorCode = (typeof errorCodes)[number]

export interface RktErrorOptions {
  /** What the user can do next: one command or one sentence. */
  readonly hint?: string
  readonly cause?: unknown
  /** Exit status of the command; 254 unless the original gives another one. */
  readonly exitStatus?: number
}

/**
 * A failure that a user must understand: a closed code, one line of message, and a hint.
 *
 * Message grammar: *cannot ACTION "OBJECT": STATE; expected WANTED*. Programmer's mistakes stay plain `Error`.
 */
export class RktError extends Error {
  override readonly name = 'RktError'
  readonly code: ErrorCode
  readonly hint: string | undefined
  readonly exitStatus: number

  constructor(code: ErrorCode, message: string, options: RktErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.hint = options.hint
    this.exitStatus = options.exitStatus ?? 254
  }
}

/** Whether `error` is one of our failures, and, when codes are given, one of those. */
export function isRktError(error: unknown, ...codes: readonly ErrorCode[]): error is RktError {
  return error instanceof RktError && (codes.length === 0 || codes.includes(error.code))
}

/** Ends a switch over a closed union: does not compile while a case is missing. */
export function unreachable(value: never): never {
  throw new Error(`unreachable value: ${JSON.stringify(value)}`)
}
