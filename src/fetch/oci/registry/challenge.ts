/** One way in which a server wants to be shown who asks. SPEC: RFC 9110 §11.6.1. */
export interface Challenge {
  /** Lower case. */
  readonly scheme: string
  /** Names in lower case; the first of equal names. */
  readonly parameters: ReadonlyMap<string, string>
}

const token = "[!#$%&'*+.^_`|~0-9A-Za-z-]+"
const schemePattern = new RegExp(`(${token})(?:[ \\t]+|(?=,)|$)`, 'y')
const parameterPattern = new RegExp(`(${token})[ \\t]*=[ \\t]*(?:(${token})|"((?:[^"\\\\]|\\\\.)*)")[ \\t]*`, 'y')
const token68Pattern = /[A-Za-z0-9._~+/-]+=*[ \t]*(?=,|$)/y
const separatorPattern = /[ \t]*(?:,[ \t]*)+/y

const maxLength = 16_384

/** The challenges of a `WWW-Authenticate` header, in order; what cannot be read ends the list. */
export function parseChallenges(header: string): readonly Challenge[] {
  const found: { readonly scheme: string; readonly parameters: Map<string, string> }[] = []
  if (header.length > maxLength) return found
  let at = 0
  const take = (pattern: RegExp): RegExpExecArray | undefined => {
    pattern.lastIndex = at
    const match = pattern.exec(header)
    if (match === null || match[0] === '') return undefined
    at = pattern.lastIndex
    return match
  }
  take(/[ \t,]+/y)
  while (at < header.length) {
    const parameter = found.length > 0 ? take(parameterPattern) : undefined
    if (parameter !== undefined) {
      const [, name = '', plain, quoted = ''] = parameter
      const parameters = found.at(-1)?.parameters
      const key = name.toLowerCase()
      if (parameters?.has(key) === false) parameters.set(key, plain ?? quoted.replace(/\\(.)/g, '$1'))
    } else {
      const scheme = take(schemePattern)?.[1]
      if (scheme === undefined) return found
      found.push({ scheme: scheme.toLowerCase(), parameters: new Map() })
      const startsParameter = new RegExp(parameterPattern.source, 'y')
      startsParameter.lastIndex = at
      if (startsParameter.exec(header) === null) take(token68Pattern)
    }
    if (at < header.length && take(separatorPattern) === undefined && found.at(-1)?.parameters.size !== 0) return found
  }
  return found
}
