import type { ACIdentifier } from '../spec/index.ts'

export interface TrustHintOptions {
  readonly name?: ACIdentifier | undefined
  /** A file that holds the missing key, when one is known. */
  readonly keyPath?: string | undefined
}

/** The two ways on for an image that no trusted key signed: trust its key, or allow it once. */
export function trustHint({ name, keyPath }: TrustHintOptions): string {
  return `trust its key with: rkt trust --prefix=${name ?? 'PREFIX'} ${keyPath ?? 'KEYFILE'}; or allow it once with --insecure-options=image`
}
