import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { errorText, isErrno, mappedIdCount, quote, RktError } from '../base/index.ts'
import { openPods, parseSubordinateIds, preparePod, type IdRange, type Pod, type PodImage } from '../pod/index.ts'
import { type Isolation, isolationText, type PodManifest } from '../spec/index.ts'
import { ensureTrees, groupOfRkt } from '../store/index.ts'
import { requireIsolation } from '../trust/index.ts'
import { chooseIsolation } from './choose-isolation.ts'
import type { Context } from './context.ts'
import type { ImagePlace } from './images.ts'
import type { FlagValues } from './parse/flag-values.ts'

export interface PrepareFlags {
  readonly overlay: boolean
  readonly privateUsers: boolean
  readonly isolation: Isolation
}

/**
 * Reads how a pod is to be prepared on this host.
 *
 * @throws RktError `unsupported-host` when user namespaces are wanted and the kernel has none.
 */
export async function readPrepareFlags(flags: FlagValues, context: Context): Promise<PrepareFlags> {
  const isolation = await chooseIsolation(flags, context)
  if (isolation.kind === 'fly' && flags.given('private-users') && flags.bool('private-users')) {
    throw new RktError('usage', 'cannot use --private-users with isolation "fly": its app has the user ids of the host')
  }
  // gVisor answers the app's system calls itself: its ids are none of the host's.
  const ownsIds = isolation.kind === 'fly' || (isolation.kind === 'oci' && /(?:^|\/)runsc[^/]*$/.test(isolation.runtime))
  const privateUsers = flags.bool('private-users') && !ownsIds
  if (privateUsers && !existsSync('/proc/self/ns/user')) {
    throw new RktError('unsupported-host', '--private-users is not supported, kernel compiled without user namespace support', {
      hint: 'run the pod with --private-users=false',
    })
  }
  const ids = mappedIdCount()
  if (ids !== undefined) {
    requireOrdinary(isolation, privateUsers)
    context.log.debug('rootless', `${ids} user ids of an ordinary user; no networks of CNI, no mapped owners, limits in delegated control groups alone`)
  }
  const overlay = !flags.bool('no-overlay')
  const missing = overlay && !/\boverlay$/m.test(readFileSync('/proc/filesystems', 'utf8')) && !existsSync('/sys/module/overlay')
  if (missing) context.log.info('disabling overlay support: "overlay entry not present in /proc/filesystems"')
  return { overlay: overlay && !missing, privateUsers, isolation }
}

/** Refuses what takes rights on the host. */
function requireOrdinary(isolation: Isolation, privateUsers: boolean): void {
  if (isolation.kind !== 'ns') {
    throw new RktError('unsupported-host', `cannot use isolation "${isolationText(isolation)}" as an ordinary user: it needs rights of root on the host`, {
      hint: 'use --isolation=ns, or run as root',
    })
  }
  if (!privateUsers) throw new RktError('unsupported-host', 'cannot use --private-users=false as an ordinary user: the user ids of the host are not his to give')
}

/** Makes an empty pod, which members of the group `rkt` may look at where the machine has that group. */
export function createPod(context: Context): Pod {
  const groupID = groupOfRkt()
  if (groupID === undefined) context.log.debug('stage0', 'group "rkt" not found, will use default gid when rendering images')
  return openPods(context.dataDir, groupID === undefined ? {} : { groupID }).create()
}

export interface FillPodOptions extends PrepareFlags {
  readonly manifest: PodManifest
  readonly images: readonly PodImage[]
  readonly place: ImagePlace
}

/**
 * Prepares a pod of images that were judged.
 *
 * @throws RktError `policy-refused` when an image must be kept apart better.
 */
export async function fillPod(context: Context, pod: Pod, { manifest, images, place, overlay, privateUsers, isolation }: FillPodOptions): Promise<void> {
  const { log, signal } = context
  for (const { record } of images) requireIsolation(place.keystore.policies, { name: record.name, isolation })
  await preparePod(pod, {
    manifest,
    images,
    ensureTrees: (image) => ensureTrees(place.store, place.store.record(image.record.id), { signal }),
    overlay,
    isolation,
    ...(privateUsers ? { privateUsers: { reserved: reservedRanges() } } : {}),
    log,
    signal,
  })
}

/** Ids that the host has promised to its users. */
function reservedRanges(): readonly IdRange[] {
  return ['/etc/subuid', '/etc/subgid'].flatMap((path) => {
    try {
      return parseSubordinateIds(readFileSync(path, 'utf8'))
    } catch (error) {
      if (isErrno(error, 'ENOENT')) return []
      throw error
    }
  })
}

/** Writes the UUID where `--uuid-file-save` says, without a line end. */
export function saveUUID(context: Context, flags: FlagValues, pod: Pod): void {
  const given = flags.text('uuid-file-save') ?? ''
  if (given === '') return
  const path = resolve(context.cwd, given)
  try {
    writeFileSync(path, pod.uuid, { mode: 0o644 })
    chmodSync(path, 0o644)
  } catch (cause) {
    throw new RktError('io', `cannot save pod UUID to file ${quote(given)}: ${errorText(cause)}`, { cause })
  }
}
