import { quote, RktError } from '../../base/index.ts'
import { isSignerID, openKeystore, type Keystore, type TrustedSigner, type TrustScope } from '../../trust/index.ts'
import { usage } from '../arguments.ts'
import type { Context } from '../context.ts'
import type { Invocation } from '../parse/invocation.ts'
import { readScope, scopeFlag } from '../trust-scope.ts'

/** `rkt trust rm FINGERPRINT`: takes the trust in a key away, and tells where else it is trusted still. */
export function removeTrust(context: Context, invocation: Invocation): number {
  const keystore = openKeystore(context.config)
  const fingerprint = readFingerprint(invocation)
  const scope = readScope(invocation)
  const done = keystore.withdraw(scope, fingerprint)
  const others = otherScopes(keystore, { fingerprint, scope })
  if (done === undefined) throw notTrusted(fingerprint, { scope, others })
  const what = scope.kind === 'root' ? 'root key' : `key for prefix ${quote(scope.prefix)}`
  context.out(`${done.kind === 'removed' ? 'Removed' : 'Masked'} ${what} at ${quote(done.path)}`)
  for (const other of others) context.log.warn(`warning: the key is still trusted for ${wordsOf(other.scope)} by ${quote(other.path)}`)
  return 0
}

/** As `rkt trust list` prints it, or as GnuPG does: blanks and upper case do not matter. */
function readFingerprint(invocation: Invocation): string {
  const text = invocation.words.slice(1).join('')
  const fingerprint = text.replace(/[\s:]/g, '').replace(/^0x/i, '').toLowerCase()
  if (text === '') throw usage(invocation, 'must provide the fingerprint of one key')
  if (!isSignerID(fingerprint)) {
    throw new RktError('usage', `cannot use fingerprint ${quote(text)}: expected 40 hexadecimal digits, or sha256- or identity- and 64 of them, as "rkt trust list" prints them`)
  }
  return fingerprint
}

/** Every other scope in which the key is stored and not masked. */
function otherScopes(keystore: Keystore, { fingerprint, scope }: { readonly fingerprint: string; readonly scope: TrustScope }): TrustedSigner[] {
  return keystore
    .allSigners()
    .filter((key) => key.id === fingerprint && scopeFlag(key.scope) !== scopeFlag(scope))
    .filter((key) => key.scope.kind === 'root' || keystore.signersFor(key.scope.prefix).some(({ path }) => path === key.path))
}

function notTrusted(fingerprint: string, { scope, others }: { readonly scope: TrustScope; readonly others: readonly TrustedSigner[] }): RktError {
  const [other] = others
  return new RktError('not-found', `cannot remove key ${fingerprint}: it is not trusted for ${wordsOf(scope)}`, {
    hint: other === undefined ? '"rkt trust list" prints the keys that are' : `it is trusted for ${wordsOf(other.scope)}: rkt trust rm ${fingerprint} ${scopeFlag(other.scope)}`,
  })
}

function wordsOf(scope: TrustScope): string {
  return scope.kind === 'root' ? 'every image' : `prefix ${quote(scope.prefix)}`
}
