import { fchmodSync, fstatSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { join } from 'node:path'
import { lockFile, type Lock } from '../base/index.ts'
import type { Layout } from './layout.ts'

/**
 * Key locks, taken in this order: imports, blob, image, tree. A blob's lock makes several importers of the same bytes unpack once; an image's
 * lock guards its record; a tree's lock guards its directory.
 */
export type LockKey =
  | { readonly kind: 'blob'; readonly hex: string }
  | { readonly kind: 'image'; readonly id: string }
  | { readonly kind: 'tree'; readonly id: string }
  /** Held shared while an OCI image is imported: until its record is there, nothing names its blobs. */
  | { readonly kind: 'imports' }

const longestPauseMs = 40

/**
 * Waits for a key lock. flock(2) has no event, and a blocking call would stop this thread, its signal handlers and other imports of
 * the same process; so it is tried again after short pauses.
 *
 * @throws the reason of `signal`.
 */
export async function takeLock(layout: Layout, key: LockKey, signal: AbortSignal): Promise<Lock> {
  const path = lockPath(layout, key)
  const mode = key.kind === 'imports' ? 'shared' : 'exclusive'
  for (let pauseMs = 1; ; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
    signal.throwIfAborted()
    const lock = lockFile(path, { mode, wait: 'try' })
    if (lock !== undefined) return share(lock)
    await delay(pauseMs)
  }
}

/** The lock when it is free now; of imports, when there are none. */
export function tryLock(layout: Layout, key: LockKey): Lock | undefined {
  const lock = lockFile(lockPath(layout, key), { mode: 'exclusive', wait: 'try' })
  return lock === undefined ? undefined : share(lock)
}

/** Members of the directory's group take the same locks. */
function share(lock: Lock): Lock {
  const { uid, mode } = fstatSync(lock.fd)
  if (uid === process.geteuid?.() && (mode & 0o777) !== 0o660) fchmodSync(lock.fd, 0o660)
  return lock
}

function lockPath(layout: Layout, key: LockKey): string {
  if (key.kind === 'imports') return join(layout.imageLocks, 'imports')
  if (key.kind === 'tree') return join(layout.treeLocks, key.id)
  return join(layout.imageLocks, key.kind === 'image' ? key.id : `blob-${key.hex.slice(0, 64)}`)
}
