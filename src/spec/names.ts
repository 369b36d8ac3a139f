import { limits, quote, RktError, type Brand } from '../base/index.ts'

/** Name of an app, volume, mount point or port: lower-case letters, digits and single dashes inside. Safe as a file name. */
export type ACName = Brand<string, 'ACName'>

/** Name of an image, label, annotation or isolator: as an `ACName`, with single `-`, `.`, `_`, `~` and `/` inside. Never has `..`. */
export type ACIdentifier = Brand<string, 'ACIdentifier'>

// SPEC: appc 0.8.11 types.md, AC Identifier Type and AC Name Type.
const acNamePattern = /^[a-z0-9]+(?:-[a-z0-9]+)*$/
const acIdentifierPattern = /^[a-z0-9]+(?:[-._~/][a-z0-9]+)*$/

export const acNameWanted: string = `lower-case letters and digits with single "-" between, at most ${limits.acNameBytes} characters`
export const acIdentifierWanted: string = `lower-case letters and digits with single "-", ".", "_", "~" or "/" between, at most ${limits.acIdentifierBytes} characters`

/** The name in `text`, or undefined when it is none. */
export function asACName(text: string): ACName | undefined {
  if (text.length > limits.acNameBytes || !acNamePattern.test(text)) return undefined
  // SAFETY: the pattern above admits no separator and no dot.
  return text as ACName
}

/** The identifier in `text`, or undefined when it is none. */
export function asACIdentifier(text: string): ACIdentifier | undefined {
  if (text.length > limits.acIdentifierBytes || !acIdentifierPattern.test(text)) return undefined
  // SAFETY: the pattern above admits no empty path component and no component of dots.
  return text as ACIdentifier
}

/** @throws RktError `invalid-reference` when `text` is not an AC name. */
export function parseACName(text: string): ACName {
  const name = asACName(text)
  if (name === undefined) throw new RktError('invalid-reference', `cannot use name ${quote(text)}: not an AC name; expected ${acNameWanted}`)
  return name
}

/** @throws RktError `invalid-reference` when `text` is not an AC identifier. */
export function parseACIdentifier(text: string): ACIdentifier {
  const name = asACIdentifier(text)
  if (name === undefined) {
    throw new RktError('invalid-reference', `cannot use name ${quote(text)}: not an AC identifier; expected ${acIdentifierWanted}`)
  }
  return name
}

/**
 * The AC name nearest to `text`: lower case, every run of other characters a dash, dashes at the ends removed.
 *
 * @throws RktError `invalid-reference` when no letter or digit is left.
 */
export function sanitizeACName(text: string): ACName {
  const dashed = text.toLowerCase().replace(/[^a-z0-9]+/g, '-').slice(0, limits.acNameBytes + 1)
  return parseACName(dashed.replace(/^-/, '').slice(0, limits.acNameBytes).replace(/-$/, ''))
}
