/** A mount as the kernel lists it; source: proc(5), /proc/PID/mountinfo. */
export interface MountEntry {
  readonly mountPoint: string
  readonly type: string
}

/** Undoes the octal escapes of blank, tab, newline and backslash; `text` is latin1 so that every byte is kept. */
export function cleanMountPath(text: string): string {
  const bytes = text.replace(/\\([0-7]{3})/g, (_escape, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)))
  return Buffer.from(bytes, 'latin1').toString()
}

/** All mounts, in the order in which they were made; `mountinfo` is latin1 text. */
export function parseMountinfo(mountinfo: string): MountEntry[] {
  const entries: MountEntry[] = []
  for (const line of mountinfo.split('\n')) {
    const [before, after] = line.split(' - ')
    const point = before?.split(' ')[4]
    const type = after?.split(' ')[0]
    if (point !== undefined && type !== undefined) entries.push({ mountPoint: cleanMountPath(point), type })
  }
  return entries
}

/** The mount that holds `path`: the last one made on the longest prefix. */
export function mountOf(entries: readonly MountEntry[], path: string): MountEntry | undefined {
  let best: MountEntry | undefined
  for (const entry of entries) {
    if (!isBelow(path, entry.mountPoint)) continue
    if (best === undefined || entry.mountPoint.length >= best.mountPoint.length) best = entry
  }
  return best
}

/** Mounts strictly below `path`, outermost first; of several on one place the topmost. */
export function mountsUnder(entries: readonly MountEntry[], path: string): MountEntry[] {
  const below = new Map<string, MountEntry>()
  for (const entry of entries) {
    if (entry.mountPoint !== path && isBelow(entry.mountPoint, path)) below.set(entry.mountPoint, entry)
  }
  return [...below.values()].sort((a, b) => (a.mountPoint < b.mountPoint ? -1 : 1))
}

function isBelow(path: string, directory: string): boolean {
  return directory === '/' || path === directory || path.startsWith(`${directory}/`)
}
