import { join } from 'node:path'

/** The life-cycle directories below `pods/`, in the order in which a pod passes through them. */
export const stages = ['embryo', 'prepare', 'prepared', 'run', 'exited-garbage', 'garbage'] as const

/** Where a pod is in its life: the name of the directory that holds it. */
export type Stage = (typeof stages)[number]

/** Stages in which users can see and address a pod; in the order of life, so that one which moves on while they are read is still met. */
export const visibleStages: readonly Stage[] = ['prepare', 'prepared', 'run', 'exited-garbage']

/** Paths relative to the pod directory. */
export const podFile = {
  manifest: 'pod',
  created: 'pod-created',
  appsInfo: 'appsinfo',
  overlay: 'overlay',
  overlayPrepared: 'overlay-prepared',
  idRange: 'private-users-prepared',
  sharedVolumes: 'sharedVolumes',
  stage2: 'stage1/rootfs/opt/stage2',
  status: 'stage1/rootfs/rkt/status',
  logs: 'logs',
  pid: 'pid',
  /** A link to `ready`. */
  ready: 'stage1/rootfs/rkt/supervisor-status',
  networks: 'net-info.json',
  failure: 'failure',
  isolation: 'isolation',
} as const

/** Path of one file about an app, relative to the pod directory. */
export function appInfo(appName: string, file: 'manifest' | 'treeStoreID' | 'layers' | 'verdict'): string {
  return join(podFile.appsInfo, appName, file)
}

/** Paths below the data directory. */
export function dataPaths(dataDir: string): {
  readonly pods: string
  readonly stage: (stage: Stage) => string
  readonly prepareLock: string
  readonly rangesLock: string
  readonly treeRootfs: (treeID: string) => string
} {
  const pods = join(dataDir, 'pods')
  return {
    pods,
    stage: (stage) => join(pods, stage),
    prepareLock: join(dataDir, 'locks', 'prepareLock'),
    rangesLock: join(dataDir, 'locks', 'ranges'),
    treeRootfs: (treeID) => join(dataDir, 'cas', 'tree', treeID, 'rootfs'),
  }
}
