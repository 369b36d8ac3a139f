import { escapeText } from '../base/index.ts'
import type { KeyDescription } from './describe-key.ts'

/** The lines that a person reads before trusting keys, as the original prints them; ends with a newline. */
export function reviewText(keys: readonly KeyDescription[]): string {
  const lines = keys.flatMap(({ fingerprint, subkeys, identities }) => [
    `gpg key fingerprint is: ${groupFingerprint(fingerprint)}`,
    ...subkeys.map((subkey) => `    Subkey fingerprint: ${groupFingerprint(subkey)}`),
    // An identity is text from outside: it must not be able to draw another fingerprint.
    ...identities.map((identity) => `\t${escapeText(identity)}`),
  ])
  return `${lines.join('\n')}\n`
}

/** Upper case in groups of four, with a double blank in the middle; names of Sigstore keys and identities as they are. */
export function groupFingerprint(fingerprint: string): string {
  if (!/^[0-9a-f]{40}$/.test(fingerprint)) return fingerprint
  const groups = fingerprint.toUpperCase().match(/.{1,4}/g) ?? []
  return `${groups.slice(0, 5).join(' ')}  ${groups.slice(5).join(' ')}`
}
