const versionPattern = /^v?(\d{1,9}(?:\.\d{1,9}){0,7})(?:-([0-9A-Za-z.-]{1,64}))?(?:\+[0-9A-Za-z.-]{1,64})?$/

/** Whether a text is a version that has an order. */
export function isVersion(text: string): boolean {
  return versionPattern.test(text)
}

/**
 * Whether `version` is `minimum` or later: numbers from left to right, missing ones are 0, a pre-release comes before its release.
 * False when one of them has no order.
 */
export function isAtLeast(version: string, minimum: string): boolean {
  const [have, want] = [parse(version), parse(minimum)]
  if (have === undefined || want === undefined) return false
  for (let index = 0; index < Math.max(have.numbers.length, want.numbers.length); index += 1) {
    const difference = (have.numbers[index] ?? 0) - (want.numbers[index] ?? 0)
    if (difference !== 0) return difference > 0
  }
  if (have.pre === undefined || want.pre === undefined) return have.pre === undefined
  return comparePre(have.pre, want.pre) >= 0
}

interface Version {
  readonly numbers: readonly number[]
  readonly pre: string | undefined
}

function parse(text: string): Version | undefined {
  const match = versionPattern.exec(text)
  return match === null ? undefined : { numbers: (match[1] ?? '').split('.').map(Number), pre: match[2] }
}

/** SPEC: Semantic Versioning 2.0.0 section 11.4. */
function comparePre(a: string, b: string): number {
  const [left, right] = [a.split('.'), b.split('.')]
  for (let index = 0; index < Math.min(left.length, right.length); index += 1) {
    const difference = compareIdentifiers(left[index] ?? '', right[index] ?? '')
    if (difference !== 0) return difference
  }
  return left.length - right.length
}

function compareIdentifiers(a: string, b: string): number {
  const [x, y] = [/^\d+$/.test(a), /^\d+$/.test(b)]
  if (x && y) return Number(a) - Number(b)
  if (x !== y) return x ? -1 : 1
  return a < b ? -1 : a > b ? 1 : 0
}
