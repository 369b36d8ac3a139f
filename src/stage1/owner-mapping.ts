import { binding } from '../base/index.ts'
import { type MountEntry, mountOf, mountsUnder } from './mountinfo.ts'

/** KERNEL: their owners are mapped from 5.12 (ext4, vfat), 5.13 (xfs) and 5.15 (btrfs) on. */
const mappable: ReadonlySet<string> = new Set(['ext2', 'ext3', 'ext4', 'vfat', 'xfs', 'btrfs'])

/** File systems of the kernel's own, and those stacked on others: their owners cannot be mapped. */
const unmappable: ReadonlySet<string> = new Set([
  'proc', 'sysfs', 'devpts', 'devtmpfs', 'overlay', 'cgroup', 'cgroup2', 'debugfs', 'tracefs', 'securityfs', 'mqueue', 'autofs', 'bpf', 'pstore',
  'configfs', 'efivarfs', 'binfmt_misc', 'hugetlbfs', 'nsfs', 'rpc_pipefs', 'fusectl', 'selinuxfs',
])

/**
 * Paths among `sources`, and of the mounts below them, whose owners this kernel cannot map.
 *
 * KERNEL: tmpfs is mapped from 6.3 on, squashfs and exfat from 6.2, ceph from 6.7, fuse from 6.12 where its server agrees: so it is asked.
 */
export function unmappableSources(sources: Iterable<string>, mounts: readonly MountEntry[]): Set<string> {
  const found = new Set<string>()
  const look = (path: string, type: string): void => {
    if (!mappable.has(type) && (unmappable.has(type) || !binding().mapsOwners(path))) found.add(path)
  }
  for (const source of sources) {
    look(source, mountOf(mounts, source)?.type ?? '')
    for (const { mountPoint, type } of mountsUnder(mounts, source)) look(mountPoint, type)
  }
  return found
}
