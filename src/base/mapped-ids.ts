import { readFileSync } from 'node:fs'

let known: { readonly count: number | undefined } | undefined

/**
 * How many user and group ids, from 0 on, this process can name when it is in a user namespace that does not know all of the host's:
 * that of an ordinary user's rkt. Undefined on the host itself. There the kernel maps no owners of mounts, makes no devices, and what
 * belongs to anybody else is shown with the ids of nobody.
 */
export function mappedIdCount(): number | undefined {
  known ??= { count: readCount() }
  return known.count
}

function readCount(): number | undefined {
  const read = (name: string): number | undefined => parseIdMap(readFileSync(`/proc/self/${name}`, 'latin1'))
  const uids = read('uid_map')
  return uids === undefined ? undefined : Math.min(uids, read('gid_map') ?? wholeMap)
}

const wholeMap = 2 ** 32 - 1

/** Length of the unbroken range from id 0 in a map of user_namespaces(7); undefined for the map of the host. */
export function parseIdMap(text: string): number | undefined {
  const lines = text.split('\n').map((line) => line.trim().split(/ +/).map(Number))
  let count = 0
  for (const [inside, outside, length] of lines) {
    if (inside === undefined || outside === undefined || length === undefined) continue
    if (inside === 0 && outside === 0 && length === wholeMap) return undefined
    if (inside === count) count += length
  }
  return count
}
