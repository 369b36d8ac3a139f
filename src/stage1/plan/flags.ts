/** CLONE_NEW* of sched.h: which namespaces a pod has of its own. */
export const namespaceFlag = {
  mount: 0x0002_0000,
  cgroup: 0x0200_0000,
  uts: 0x0400_0000,
  ipc: 0x0800_0000,
  user: 0x1000_0000,
  pid: 0x2000_0000,
  network: 0x4000_0000,
} as const

/** Flags of the operation `volume`. */
export const volumeFlag = { readOnly: 1, idmap: 2, noDevices: 4, noSetuid: 8, noExec: 16, recursive: 32, slave: 64, shared: 128 } as const

/** Flags of the operation `sysfs`. */
export const sysfsFlag = { readOnly: 1 } as const

/** Flags of the operation `tmpfs`. */
export const tmpfsFlag = { noExec: 1 } as const

/** Modes of the operation `stdio`. */
export const stdioMode = { null: 0, pipe: 1, terminal: 2, stream: 3, attachTerminal: 4 } as const

/** Values of `format` of the operation `log`: with and without the tag for partial lines. */
export const logFormat = { cri: 0, plain: 1 } as const

/** Values of `ready` of the operation `network-helper`: the program goes to the background, or writes to descriptor 3. */
export const helperReady = { background: 0, descriptor: 1 } as const

/** Values of `when` of the operation `handler`. */
export const handlerWhen = { preStart: 0, postStop: 1 } as const

/** Who joins the group of the operation `cgroup`. */
export const cgroupJoin = { nobody: 0, init: 1, launcher: 2 } as const
