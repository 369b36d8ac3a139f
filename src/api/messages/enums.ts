/** Values of the enumerations in specs/api.proto. */
export const podStates = { undefined: 0, embryo: 1, preparing: 2, prepared: 3, running: 4, abortedPrepare: 5, exited: 6, deleting: 7, garbage: 8 } as const

export const appStates = { undefined: 0, running: 1, exited: 2 } as const

export const imageTypes = { undefined: 0, appc: 1, docker: 2, oci: 3 } as const

export const eventTypes = {
  undefined: 0,
  podPrepared: 1,
  podPrepareAborted: 2,
  podStarted: 3,
  podExited: 4,
  podGarbageCollected: 5,
  appStarted: 6,
  appExited: 7,
  imageImported: 8,
  imageRemoved: 9,
} as const

export type EventKind = keyof typeof eventTypes
