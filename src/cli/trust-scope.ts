import { isRktError, quote, RktError } from '../base/index.ts'
import { asACIdentifier, identifierOf, type ACIdentifier } from '../spec/index.ts'
import type { TrustScope } from '../trust/index.ts'
import type { Invocation } from './parse/invocation.ts'

/**
 * For which images a key is meant: `--prefix` or `--root`.
 *
 * @throws RktError `usage` with the original's texts.
 */
export function readScope(invocation: Invocation): TrustScope {
  const { flags } = invocation
  const text = flags.text('prefix') ?? ''
  if (text === '' && !flags.bool('root')) {
    throw new RktError('usage', 'aborting due to implicit unbounded trust (root domain)', {
      hint: 'use --prefix=PREFIX for the names that the key may sign, or --root to trust it for every image',
    })
  }
  if (text !== '' && flags.bool('root')) throw new RktError('usage', '--root and --prefix usage mutually exclusive')
  if (text === '') return { kind: 'root' }
  const [, scheme] = /^([A-Za-z][A-Za-z0-9+.-]*:\/\/)/.exec(text) ?? []
  if (scheme !== undefined) throw new RktError('usage', `--prefix must not contain a URL scheme, omit ${scheme}`)
  const prefix = asACIdentifier(text) ?? ofRegistry(text)
  if (prefix === undefined) throw new RktError('usage', `cannot use --prefix=${quote(text)}: not a prefix of image names; expected words such as example.com/app`)
  return { kind: 'prefix', prefix }
}

/** The prefix for `HOST:PORT/REPOSITORY` as registries are named: images have it with what an AC identifier can hold. */
function ofRegistry(text: string): ACIdentifier | undefined {
  const [, host, repository] = /^([A-Za-z0-9.-]+(?::[0-9]{1,5})?)(?:\/(.*))?$/.exec(text) ?? []
  if (host === undefined) return undefined
  try {
    return repository === undefined ? asACIdentifier(host.replace(':', '~')) : identifierOf({ host, repository })
  } catch (error) {
    if (!isRktError(error, 'invalid-reference')) throw error
    return undefined
  }
}

/** The flag that says a scope. */
export function scopeFlag(scope: TrustScope): string {
  return scope.kind === 'root' ? '--root' : `--prefix=${scope.prefix}`
}
