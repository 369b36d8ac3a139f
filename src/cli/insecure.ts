import { RktError } from '../base/index.ts'

const bits = ['image', 'tls', 'ondisk', 'http', 'pubkey', 'capabilities', 'paths', 'seccomp'] as const

/** Which checks and confinements are off, by `--insecure-options`. */
export type InsecureOptions = Readonly<Record<(typeof bits)[number], boolean>>

const groups: Readonly<Record<string, readonly string[]>> = {
  none: [],
  'all-fetch': ['image', 'tls', 'http', 'pubkey'],
  'all-run': ['capabilities', 'paths', 'seccomp'],
  all: bits,
}

/**
 * Reads the values of `--insecure-options`, each a comma-separated list.
 *
 * @throws RktError `usage` for an unknown or repeated option.
 */
export function parseInsecureOptions(values: readonly string[]): InsecureOptions {
  const seen = new Set<string>()
  const off = new Set<string>()
  for (const value of values) {
    for (const word of value.toLowerCase().split(',')) {
      const group: readonly string[] | undefined = Object.hasOwn(groups, word) ? groups[word] : bits.filter((bit) => bit === word)
      if (group === undefined || (group.length === 0 && word !== 'none')) throw refuse(value, `unknown option ${JSON.stringify(word)}`)
      if (seen.has(word)) throw refuse(value, `duplicated option ${JSON.stringify(word)}`)
      seen.add(word)
      for (const bit of group) off.add(bit)
    }
  }
  const has = (bit: string): boolean => off.has(bit)
  return {
    image: has('image'),
    tls: has('tls'),
    ondisk: has('ondisk'),
    http: has('http'),
    pubkey: has('pubkey'),
    capabilities: has('capabilities'),
    paths: has('paths'),
    seccomp: has('seccomp'),
  }
}

function refuse(value: string, reason: string): RktError {
  return new RktError('usage', `invalid argument ${JSON.stringify(value)} for --insecure-options=${value}: ${reason}`, {
    hint: `the options are none, ${bits.join(', ')}, all-fetch, all-run and all`,
  })
}
