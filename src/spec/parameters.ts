import { quote, RktError } from '../base/index.ts'

/** The `key=value` parts of a flag, each key once. */
export type Parameters = ReadonlyMap<string, string>

/**
 * Splits `key=value,key=value`; values are literal, so one cannot hold a comma.
 *
 * SPEC: appc 0.8.11 `VolumeFromString`.
 *
 * @throws RktError `usage` for a part without `=`, or a key given twice.
 */
export function parseParameters(text: string): Parameters {
  return collect(
    text.split(',').map((part) => {
      const at = part.indexOf('=')
      if (at < 0) throw new RktError('usage', `malformed string ${quote(text)} - has a label without a value: ${part}`)
      return [part.slice(0, at), part.slice(at + 1)]
    }),
  )
}

/**
 * Splits `key=value,key=value` as the original does for mounts: as a URL query with commas for separators, so that `%2C` is a comma
 * in a value, and `+` a blank.
 *
 * @throws RktError `usage` for a bad escape, or a key given twice.
 */
export function parseQueryParameters(text: string): Parameters {
  return collect(
    text
      .split(/[,&;]/)
      .filter((part) => part !== '')
      .map((part) => {
        const at = part.indexOf('=')
        return at < 0 ? [unescape(part), ''] : [unescape(part.slice(0, at)), unescape(part.slice(at + 1))]
      }),
  )
}

/**
 * A boolean in one of the words of Go.
 *
 * @throws RktError `usage` for any other word.
 */
export function parseGoBoolean(text: string): boolean {
  if (['1', 't', 'T', 'TRUE', 'true', 'True'].includes(text)) return true
  if (['0', 'f', 'F', 'FALSE', 'false', 'False'].includes(text)) return false
  throw new RktError('usage', `cannot use ${quote(text)}: not a boolean; expected true or false`)
}

/**
 * A whole number in decimal digits.
 *
 * @throws RktError `usage` for anything else.
 */
export function parseWholeNumber(text: string): number {
  const value = /^[+-]?[0-9]{1,15}$/.test(text) ? Number(text) : undefined
  if (value === undefined) throw new RktError('usage', `cannot use ${quote(text)}: not a number; expected a whole number`)
  return value
}

function collect(pairs: readonly (readonly string[])[]): Parameters {
  const found = new Map<string, string>()
  for (const [key = '', value = ''] of pairs) {
    const before = found.get(key)
    if (before !== undefined) throw new RktError('usage', `label ${key} with multiple values [${quote(before)} ${quote(value)}]`)
    found.set(key, value)
  }
  return found
}

function unescape(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch (cause) {
    throw new RktError('usage', `invalid URL escape in ${quote(text)}`, { cause })
  }
}
