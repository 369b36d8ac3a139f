/** Repeatable numbers: the same seed gives the same mutations. */
export interface Random {
  /** A whole number from 0 to below `limit`. */
  below(limit: number): number
  /** One of a list that is not empty. */
  of<T>(list: readonly T[]): T
}

/** Source: Marsaglia, "Xorshift RNGs". */
export function random(seed: number): Random {
  let state = (Math.imul(seed + 1, 0x9e3779b1) ^ 0x5bf03635) | 1
  const below = (limit: number): number => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) % limit
  }
  return {
    below,
    of: (list) => {
      const at = below(list.length)
      const found = list[at]
      if (found === undefined && at >= list.length) throw new Error('an empty list has no member')
      // SAFETY: `at` is below the length; undefined may be a member.
      return found as (typeof list)[number]
    },
  }
}
