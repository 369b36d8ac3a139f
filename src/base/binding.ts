import { createRequire } from 'node:module'
import { libraryFile } from './library.ts'

/** The C functions of `src/native/binding.c`; each throws an `Error` with `code` set to the errno name. */
export interface Binding {
  /** flock(2). Returns false when `LOCK_NB` was given and the lock is held by another. */
  flock(fd: number, operation: number): boolean
  /**
   * Replaces this process by `path` (execve): clears close-on-exec on the descriptors in `keep` and sets it on all others above 2.
   * Descriptor flags and limits that Node changed are the launcher's to restore. Does not return.
   */
  execLauncher(path: string, argv: readonly string[], env: readonly string[], keep: readonly number[]): never
  /** Blocks SIGINT and SIGTERM for good: they wait for the program that `execLauncher` starts. To be called just before it. */
  holdSignals(): void
  /** memfd_create(2) with sealing allowed; writes `content`, seals it against any change, returns the descriptor. */
  sealedMemfd(name: string, content: Uint8Array): number
  /** pidfd_open(2). */
  pidfdOpen(pid: number): number
  /** pidfd_send_signal(2). Returns false when the process is gone. */
  pidfdSignal(pidfd: number, signal: number): boolean
  /** isatty(3). */
  isTerminal(fd: number): boolean
  /** syncfs(2) of the file system that holds `fd`. */
  syncfs(fd: number): void
  /**
   * Bounded reads inside an app's tree, or inside several that lie over each other, the topmost first, as overlay shows them. One tree is
   * resolved with openat2 RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV, several component by component.
   * Returns the content of a regular file of at most `maxBytes`, or null when it does not exist.
   */
  readInRoot(rootFds: readonly number[], path: string, maxBytes: number): Uint8Array | null
  /** Type, permission bits and owner of a path inside the same, symbolic links followed inside it; null when it does not exist. */
  statInRoot(rootFds: readonly number[], path: string): { readonly mode: number; readonly uid: number; readonly gid: number; readonly size: number } | null
  /** Mount points (as listed in /proc/self/mountinfo) are left by umount2 MNT_DETACH | UMOUNT_NOFOLLOW; false when nothing is mounted there. */
  unmount(path: string): boolean
  /** Whether the kernel can map the owners that the mount at `path` shows (mount_setattr(2) with MOUNT_ATTR_IDMAP). */
  mapsOwners(path: string): boolean
  /**
   * Descriptor of a read-only overlay of directories, the topmost first, that is attached nowhere and ends with the descriptor;
   * reached by other calls as `/proc/self/fd/N/.`. No symbolic link in it is followed.
   */
  overlayView(layerFds: readonly number[]): number
  /** What the unpacker marked at a path of a layer's tree: 1 whiteout, 2 opaque directory, 4 directory that no member named. */
  layerMarks(path: Uint8Array): number
  /** Takes the marks of a directory away. */
  clearLayerMarks(path: Uint8Array): void
  /** Gives one directory the owner, mode, times and `user.*` attributes of another. */
  copyAttributes(from: Uint8Array, to: Uint8Array): void
  /** llistxattr(2): names of the extended attributes of `path` itself; none where the file system has none. */
  xattrNames(path: string): string[]
  /** lgetxattr(2): value of one of them. */
  xattrValue(path: string, name: string): Uint8Array
}

export const LOCK_SH = 1
export const LOCK_EX = 2
export const LOCK_NB = 4
export const LOCK_UN = 8

let loaded: Binding | undefined

/** The binding, loaded at first use: verbs that only parse or print never pay for it. */
export function binding(): Binding {
  // SAFETY: the shape is that of src/native/binding.c, which is built together with this file.
  loaded ??= createRequire(import.meta.url)(libraryFile('binding.node')) as Binding
  return loaded
}
