import type { ACIdentifier, IsolationLevel, SignatureKind } from '../../spec/index.ts'

/** What an image of certain names must fulfil before it may be stored and run. */
export interface Policy {
  /** The file that says so; undefined for the built-in policy. */
  readonly path: string | undefined
  /** Undefined: every image. */
  readonly prefix: ACIdentifier | undefined
  /** Keys and identities of which `threshold` must have signed; undefined: whoever is trusted for the name. */
  readonly signers: readonly string[] | undefined
  /** Distinct signers that are needed. */
  readonly threshold: number
  /** Undefined: every kind. */
  readonly kinds: readonly SignatureKind[] | undefined
  /** Weakest isolation in which the image may run. */
  readonly isolation: IsolationLevel | undefined
  /** Age of a signature in days, past which it does not count. */
  readonly maxAgeDays: number | undefined
  /** Oldest version that may be used. */
  readonly minVersion: string | undefined
  /** Whether an image may say itself what it is called, as files and URLs do. */
  readonly selfDeclaredNames: 'allow' | 'refuse'
  /** The file whose lock `--insecure-options=image` does not pass. */
  readonly lockedBy: string | undefined
}

/** What holds where no file says anything: one trusted, valid key for the prefix. */
export const builtInPolicy: Policy = {
  path: undefined,
  prefix: undefined,
  signers: undefined,
  threshold: 1,
  kinds: undefined,
  isolation: undefined,
  maxAgeDays: undefined,
  minVersion: undefined,
  selfDeclaredNames: 'allow',
  lockedBy: undefined,
}

/** A policy as one file says it, before the locks of other files are known. */
export type PolicyRule = Omit<Policy, 'path' | 'lockedBy'> & { readonly path: string; readonly locked: boolean }

/** A rule in the form of its file, for `rkt config`. */
export function policyJson({ prefix, signers, threshold, kinds, isolation, maxAgeDays, minVersion, selfDeclaredNames, locked }: PolicyRule): object {
  const fields = { prefixes: [prefix ?? '*'], signers, threshold, kinds, isolation, maxAgeDays, minVersion, selfDeclaredNames, locked }
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
}
