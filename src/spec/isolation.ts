import { quote, RktError } from '../base/index.ts'

/** How a pod is kept apart from the host. */
export type Isolation = { readonly kind: 'fly' } | { readonly kind: 'ns' } | { readonly kind: 'kvm' } | { readonly kind: 'oci'; readonly runtime: string }

/** What a policy can ask for at least, weakest first: `fly` isolates nothing, an OCI runtime that shares the kernel stands with `ns`. */
export const isolationLevels = ['fly', 'ns', 'kvm'] as const
export type IsolationLevel = (typeof isolationLevels)[number]

/** A runtime found in PATH by its name, or by its absolute path. */
const runtimeText = /^(?:[a-zA-Z0-9][a-zA-Z0-9._-]{0,63}|\/[^\0\n]{1,255})$/

/**
 * Reads `fly`, `ns`, `kvm` or `oci:RUNTIME`.
 *
 * @throws RktError `usage`.
 */
export function parseIsolation(text: string): Isolation {
  const isolation = asIsolation(text)
  if (isolation !== undefined) return isolation
  throw new RktError('usage', `cannot use isolation ${quote(text)}; expected fly, ns, kvm or oci:RUNTIME`, { hint: 'rkt isolation' })
}

/** Undefined when the text names no isolation. */
export function asIsolation(text: string): Isolation | undefined {
  if (text === 'fly' || text === 'ns' || text === 'kvm') return { kind: text }
  const runtime = /^oci:(.*)$/s.exec(text)?.[1]
  return runtime !== undefined && runtimeText.test(runtime) ? { kind: 'oci', runtime } : undefined
}

/** The text that `parseIsolation` reads. */
export function isolationText(isolation: Isolation): string {
  return isolation.kind === 'oci' ? `oci:${isolation.runtime}` : isolation.kind
}

/** Whether `isolation` keeps a pod apart at least as well as `floor`; gVisor answers system calls itself, but is no virtual machine. */
export function reachesLevel(isolation: Isolation, floor: IsolationLevel): boolean {
  const level = isolation.kind === 'oci' ? 'ns' : isolation.kind
  return isolationLevels.indexOf(level) >= isolationLevels.indexOf(floor)
}
