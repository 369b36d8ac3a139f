/**
 * Every operation of a launch plan: its code on the wire and its fields in order. The same table stands in `stage1/plan.c`; a test
 * compares them. Field letters: `s` text, `u` 32-bit number, `U` 64-bit number, `b` bytes, `S` list of texts, `I` list of numbers.
 */
export const operations = {
  uuid: { code: 1, fields: { uuid: 's' } },
  idmap: { code: 2, fields: { shift: 'u', count: 'u' } },
  namespaces: { code: 3, fields: { flags: 'u' } },
  join: { code: 4, fields: { flag: 'u', pin: 's' } },
  hostname: { code: 5, fields: { hostname: 's' } },
  'stop-timeout': { code: 6, fields: { ms: 'u' } },
  cgroup: { code: 7, fields: { path: 's', join: 'u' } },
  'cgroup-set': { code: 8, fields: { file: 's', value: 's' } },
  'device-policy': { code: 9, fields: { version: 'u', path: 's', rules: 'S' } },
  'prefix-output': { code: 10, fields: {} },
  mutable: { code: 11, fields: {} },
  notify: { code: 12, fields: { socket: 's' } },
  'network-helper': { code: 13, fields: { argv: 'S', ready: 'u' } },
  tasks: { code: 14, fields: { count: 'u' } },
  app: { code: 20, fields: { name: 's' } },
  'root-overlay': { code: 21, fields: { layers: 'S', base: 's', upper: 's', work: 's' } },
  'root-bind': { code: 22, fields: { path: 's' } },
  'root-read-only': { code: 23, fields: {} },
  volume: { code: 30, fields: { source: 's', target: 's', flags: 'u' } },
  proc: { code: 31, fields: { target: 's' } },
  sysfs: { code: 32, fields: { target: 's', flags: 'u' } },
  tmpfs: { code: 33, fields: { target: 's', options: 's', flags: 'u' } },
  dev: { code: 34, fields: { target: 's' } },
  'dev-node': { code: 35, fields: { name: 's', mode: 'u', major: 'u', minor: 'u' } },
  'dev-link': { code: 36, fields: { name: 's', target: 's' } },
  devpts: { code: 37, fields: { target: 's' } },
  mqueue: { code: 38, fields: { target: 's' } },
  cgroupfs: { code: 39, fields: { target: 's', controllers: 's' } },
  mkdir: { code: 41, fields: { path: 's', mode: 'u' } },
  symlink: { code: 42, fields: { path: 's', target: 's' } },
  mask: { code: 43, fields: { path: 's' } },
  'read-only': { code: 45, fields: { path: 's' } },
  handler: { code: 50, fields: { when: 'u', argv: 'S' } },
  user: { code: 51, fields: { uid: 'u', gid: 'u', groups: 'I' } },
  capabilities: { code: 52, fields: { bounding: 'U' } },
  seccomp: { code: 53, fields: { filter: 'b' } },
  'no-new-privileges': { code: 54, fields: {} },
  rlimit: { code: 55, fields: { resource: 'u', soft: 'U', hard: 'U' } },
  'oom-score': { code: 56, fields: { score: 'u' } },
  'working-directory': { code: 57, fields: { path: 's' } },
  environment: { code: 58, fields: { variables: 'S' } },
  exec: { code: 59, fields: { argv: 'S' } },
  stdio: { code: 60, fields: { stdin: 'u', stdout: 'u', stderr: 'u' } },
  'app-cgroup': { code: 61, fields: { path: 's' } },
  sysctl: { code: 62, fields: { path: 's', value: 's' } },
  'oom-events': { code: 63, fields: { file: 's' } },
  landlock: { code: 71, fields: { writable: 'S' } },
  'security-label': { code: 72, fields: { file: 's', value: 's' } },
  share: { code: 70, fields: { flags: 'u' } },
  sandbox: { code: 74, fields: { flags: 'u', shift: 'u', count: 'u', hostname: 's' } },
  'root-at': { code: 75, fields: { path: 's', owner: 'u' } },
  unmount: { code: 76, fields: { path: 's' } },
  vm: { code: 90, fields: { plan: 'b' } },
  disk: { code: 91, fields: { device: 's', path: 's', blocks: 'u', root: 's', salt: 's' } },
  'guest-directory': { code: 92, fields: { path: 's', mode: 'u' } },
  'guest-file': { code: 93, fields: { path: 's', content: 'b' } },
  vmm: { code: 94, fields: {} },
  'stop-signal': { code: 64, fields: { signal: 'u' } },
  listen: { code: 65, fields: { descriptors: 'I', names: 'S' } },
  log: { code: 66, fields: { directory: 's', file: 's', maxBytes: 'U', files: 'u', format: 'u' } },
  'notify-socket': { code: 67, fields: { address: 's' } },
  'end-exec': { code: 80, fields: { argv: 'S', environment: 'S', stdin: 'b' } },
  'end-cgroup': { code: 81, fields: { path: 's' } },
  'end-unmount': { code: 82, fields: { path: 's' } },
  'end-remove-pod': { code: 83, fields: { garbage: 's' } },
} as const

export type FieldLetter = 's' | 'u' | 'U' | 'b' | 'S' | 'I'

interface FieldTypes {
  s: string
  u: number
  U: bigint
  b: Uint8Array
  S: readonly string[]
  I: readonly number[]
}

type OperationName = keyof typeof operations

/** One step of a plan: `op` names it, the other members are its fields. */
export type Operation = {
  [K in OperationName]: { readonly op: K } & {
    readonly [F in keyof (typeof operations)[K]['fields']]: (typeof operations)[K]['fields'][F] extends FieldLetter
      ? FieldTypes[(typeof operations)[K]['fields'][F]]
      : never
  }
}[OperationName]

/** All that the launcher does for a pod; specs/launch-plan.md. */
export interface LaunchPlan {
  readonly version: 1
  readonly pod: readonly Operation[]
  /** One list per app: complete in itself. */
  readonly apps: readonly (readonly Operation[])[]
  /** Run when the pod has ended, whatever happened, and again by collection. */
  readonly end: readonly Operation[]
}

/** A program that joins a running app. */
export type EnterPlan = readonly Operation[]
