import { execFile } from 'node:child_process'
import { chmodSync, existsSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { randomBytes } from 'node:crypto'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { errorText, quote, RktError, writeDurably } from '../../base/index.ts'
import { appendVerity, type VerityRoot } from './verity.ts'

const mkfs = '/usr/bin/mkfs.erofs'

/** A tree as a read-only disk. */
export interface TreeDisk extends VerityRoot {
  readonly path: string
}

/**
 * The disk of a rendered tree: an EROFS file system with its hash tree behind it, made once and kept beside the tree.
 *
 * @throws RktError `missing-tool` without erofs-utils, `child-failed` when the disk cannot be made.
 */
export async function ensureDisk(rootfs: string): Promise<TreeDisk> {
  const place = dirname(rootfs)
  const path = join(place, 'disk.erofs')
  const record = join(place, 'disk.json')
  if (existsSync(record)) {
    const known = readRoot(record)
    if (known !== undefined && existsSync(path)) return { path, ...known }
  }
  if (!existsSync(mkfs)) throw new RktError('missing-tool', `cannot make the disk of an image: ${mkfs} is missing`, { hint: 'apt-get install erofs-utils' })
  const scratch = `${path}.${randomBytes(6).toString('hex')}`
  try {
    await promisify(execFile)(mkfs, ['-T0', '-U', '00000000-0000-0000-0000-000000000000', scratch, rootfs], { env: {} })
    const root = appendVerity(scratch, randomBytes(32))
    // The monitor reads it with an id of its own; what it holds is the image's.
    chmodSync(scratch, 0o644)
    // One that another process has made meanwhile has another salt: record and disk must be of one making.
    writeDurably(`${record}.new`, JSON.stringify(root))
    renameSync(scratch, path)
    renameSync(`${record}.new`, record)
    return { path, ...root }
  } catch (cause) {
    rmSync(scratch, { force: true })
    throw new RktError('child-failed', `cannot make the disk of tree ${quote(place)}: ${errorText(cause)}`, { cause })
  }
}

function readRoot(path: string): VerityRoot | undefined {
  const json: unknown = JSON.parse(readFileSync(path, 'utf8'))
  if (typeof json !== 'object' || json === null || !('blocks' in json) || !('root' in json) || !('salt' in json)) return undefined
  const { blocks, root, salt } = json
  return typeof blocks === 'number' && typeof root === 'string' && typeof salt === 'string' ? { blocks, root, salt } : undefined
}
