/** One entry of a cpio archive. */
interface Entry {
  readonly name: string
  /** With the type. */
  readonly mode: number
  readonly content?: Uint8Array
  readonly device?: readonly [major: number, minor: number]
}

/**
 * The first root of a guest: the launcher as `/init`, the directories that it mounts on, and a console for its first words.
 *
 * SPEC: cpio(5), new ASCII format, as Linux Documentation/driver-api/early-userspace/buffer-format.rst.
 */
export function makeInitrd(launcher: Uint8Array): Buffer {
  const entries: Entry[] = [
    ...['dev', 'proc', 'sys', 'pod', 'disks', 'mnt', 'tmp'].map((name) => ({ name, mode: 0o040755 })),
    { name: 'dev/console', mode: 0o020600, device: [5, 1] },
    { name: 'init', mode: 0o100755, content: launcher },
    { name: 'TRAILER!!!', mode: 0 },
  ]
  return Buffer.concat(entries.map(encode))
}

function encode({ name, mode, content = new Uint8Array(), device = [0, 0] }: Entry, index: number): Buffer {
  const fields = [index + 1, mode, 0, 0, 1, 0, content.byteLength, 0, 0, device[0], device[1], name.length + 1, 0]
  const head = `070701${fields.map((field) => field.toString(16).padStart(8, '0')).join('')}${name}\0`
  return Buffer.concat([pad(Buffer.from(head, 'latin1')), pad(Buffer.from(content))])
}

function pad(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc((4 - (bytes.byteLength % 4)) % 4)])
}
