/**
 * Mount points at or below `directory`, in the order in which they have to be unmounted: the last one made first.
 *
 * SPEC: proc(5), /proc/PID/mountinfo: field 5 is the mount point, with space, tab, newline and backslash as octal escapes.
 */
export function mountsBelow(mountinfo: Uint8Array, directory: string): string[] {
  // Paths are bytes; latin1 keeps each one, whatever encoding it was written in.
  const wanted = Buffer.from(directory).toString('latin1')
  const below: string[] = []
  for (const line of Buffer.from(mountinfo).toString('latin1').split('\n')) {
    const field = line.split(' ')[4]
    if (field === undefined) continue
    const path = field.replace(/\\([0-7]{3})/g, (_escape, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)))
    if (path === wanted || path.startsWith(`${wanted}/`)) below.push(Buffer.from(path, 'latin1').toString())
  }
  return below.reverse()
}
