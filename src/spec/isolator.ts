import type { ACIdentifier } from './names.ts'

interface Named {
  readonly name: ACIdentifier
  /** The JSON value as it was read, for writing it back. */
  readonly value: unknown
  /** The pod may run where this cannot be enforced; left out: it may not. */
  readonly optional?: true
}

/** A limit on what an app may use or do; SPEC: appc 0.8.11 ace.md, Isolators. Kinds that the runtime does not know are `other`. */
export type Isolator =
  | (Named & { readonly kind: 'capabilities-retain' | 'capabilities-remove'; readonly set: readonly string[] })
  | (Named & { readonly kind: 'seccomp-retain' | 'seccomp-remove'; readonly set: readonly string[]; readonly errno?: string })
  | (Named & { readonly kind: 'no-new-privileges'; readonly enabled: boolean })
  | (Named & { readonly kind: 'oom-score-adj'; readonly score: number })
  | (Named & { readonly kind: 'cpu-shares'; readonly shares: number })
  | (Named & { readonly kind: 'memory'; readonly requestBytes?: number; readonly limitBytes?: number })
  | (Named & { readonly kind: 'cpu'; readonly requestMillis?: number; readonly limitMillis?: number })
  | (Named & { readonly kind: 'block-bandwidth'; readonly bytesPerSecond?: number })
  | (Named & { readonly kind: 'block-iops'; readonly operationsPerSecond?: number })
  | (Named & { readonly kind: 'network-bandwidth' })
  | (Named & { readonly kind: 'sysctl'; readonly settings: Readonly<Record<string, string>> })
  | (Named & { readonly kind: 'selinux-context'; readonly user: string; readonly role: string; readonly type: string; readonly level: string })
  | (Named & { readonly kind: 'apparmor-profile'; readonly profile: string })
  | (Named & { readonly kind: 'other' })

export type IsolatorKind = Isolator['kind']

/** An isolator of one kind. */
export type IsolatorOf<K extends IsolatorKind> = Extract<Isolator, { readonly kind: K }>
