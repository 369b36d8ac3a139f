import { parseACIdentifier, type ACIdentifier } from '../spec/index.ts'

/** For which images a key is trusted: all, or those whose name is the prefix or lies under it. */
export type TrustScope = { readonly kind: 'root' } | { readonly kind: 'prefix'; readonly prefix: ACIdentifier }

/** Every prefix that covers `name`, shortest first: whole path components only, the name itself last. */
export function prefixChain(name: ACIdentifier): ACIdentifier[] {
  const parts = name.split('/')
  return parts.map((_, index) => parseACIdentifier(parts.slice(0, index + 1).join('/')))
}

/** Whether a key with this scope may sign an image of this name. */
export function covers(scope: TrustScope, name: ACIdentifier): boolean {
  return scope.kind === 'root' || name === scope.prefix || name.startsWith(`${scope.prefix}/`)
}

/** Directory of a scope below `trustedkeys/`. */
export function scopeDirectory(scope: TrustScope): string {
  return scope.kind === 'root' ? 'root.d' : `prefix.d/${scope.prefix}`
}

/** A scope in words: `every image`, or `prefix "example.com/app"`. */
export function scopeText(scope: TrustScope): string {
  return scope.kind === 'root' ? 'every image' : `prefix "${scope.prefix}"`
}
