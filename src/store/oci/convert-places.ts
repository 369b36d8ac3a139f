import { posix } from 'node:path'
import { limits, quote } from '../../base/index.ts'
import { parseACName, sanitizeACName, type MountPoint, type Port } from '../../spec/index.ts'

/** Places of the system's own. */
const reserved = /^\/(?:$|proc(?:\/|$)|sys(?:\/|$)|dev(?:\/|$))/

/** A mount point `volume-PATH` for each volume; of two that would be called the same, the second gets a number. */
export function convertVolumes(paths: readonly string[], warn: (line: string) => void): MountPoint[] {
  const points = new Map<string, MountPoint>()
  const seen = new Set<string>()
  for (const given of paths) {
    const path = posix.join('/', given).replace(/(?<=.)\/$/, '')
    if (seen.has(path)) continue
    seen.add(path)
    if (reserved.test(path)) {
      warn(`leaving out volume ${quote(given)}: the place belongs to the system`)
      continue
    }
    const name = freeName(points, `volume-${path.slice(1)}`.slice(0, limits.acNameBytes - 8))
    points.set(name, { name: parseACName(name), path, readOnly: false })
  }
  return [...points.values()]
}

function freeName(taken: ReadonlyMap<string, unknown>, text: string): string {
  const name = sanitizeACName(text)
  for (let number = 1; ; number += 1) {
    const candidate = number === 1 ? name : `${name}-${number}`
    if (!taken.has(candidate)) return candidate
  }
}

/** A port `NUMBER-PROTOCOL` for each exposed port or range. */
export function convertPorts(texts: readonly string[], warn: (line: string) => void): Port[] {
  const ports = new Map<string, Port>()
  for (const text of texts) {
    const [, first, last, protocol = 'tcp'] = /^([0-9]{1,5})(?:-([0-9]{1,5}))?(?:\/([a-z]{1,16}))?$/.exec(text) ?? []
    const [port, end] = [Number(first), Number(last ?? first)]
    if (first === undefined || port < 1 || end < port || end > 65_535) {
      warn(`leaving out exposed port ${quote(text)}: expected PORT or PORT/PROTOCOL`)
      continue
    }
    const name = parseACName(`${port}${end === port ? '' : `-${end}`}-${protocol}`)
    ports.set(name, { name, protocol, port, count: end - port + 1, socketActivated: false })
  }
  return [...ports.values()]
}
