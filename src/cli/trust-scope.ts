import { quote, RktError } from '../base/index.ts'
import { asACIdentifier } from '../spec/index.ts'
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
  const prefix = asACIdentifier(text)
  if (prefix === undefined) throw new RktError('usage', `cannot use --prefix=${quote(text)}: not a prefix of image names; expected words such as example.com/app`)
  return { kind: 'prefix', prefix }
}

/** The flag that says a scope. */
export function scopeFlag(scope: TrustScope): string {
  return scope.kind === 'root' ? '--root' : `--prefix=${scope.prefix}`
}
