import { createHash } from 'node:crypto'
import { quote, RktError } from '../base/index.ts'
import { asACIdentifier, type ACIdentifier } from '../spec/index.ts'
import type { ConfigDirs } from './config-dirs.ts'
import { checkGuardedDirectory, readGuardedDirectory, type GuardedFile } from './guarded-directory.ts'
import { maskKey, removeKey, storeKey, storeSigner, type SignerFile } from './key-writer.ts'
import { openPolicies, type Policies } from './policy/policies.ts'
import type { PublicKey } from './public-key.ts'
import { prefixChain, scopeDirectory, type TrustScope } from './scope.ts'
import { checkSignerID } from './signer-id.ts'
import { checkedName, readTrustedSigner, type TrustedKey, type TrustedSigner } from './trusted-signer.ts'

/**
 * Keys and identities by prefix of image names, `trustedkeys/{root.d,prefix.d/<prefix>}/<fingerprint>` of two configuration
 * directories, and the policies beside them.
 */
export interface Keystore {
  /**
   * Who may sign an image of this name: those of root and of each prefix in its chain, without masked ones.
   *
   * @throws RktError `key-invalid` naming the file when one is damaged, misnamed, or writable by others.
   */
  signersFor(name: ACIdentifier): TrustedSigner[]
  /** The OpenPGP keys among them. */
  keysFor(name: ACIdentifier): TrustedKey[]
  /** What an image must fulfil beyond a signature. */
  readonly policies: Policies
  /** Whether any key or mask that `keysFor` looks at is stored for this name: then somebody has decided about it. */
  isDecided(name: ACIdentifier): boolean
  /** Every stored signer of every prefix, masked or not; the same one once per file. */
  allSigners(): TrustedSigner[]
  /** The OpenPGP keys among them. */
  allKeys(): TrustedKey[]
  /** A hash over the name, every policy, and every key file and mask that `signersFor` looks at; equal hashes mean equal answers. */
  stateFor(name: ACIdentifier): string
  /** Stores a key durably in the local directory, in place of a mask or an older copy, and gives its path. */
  add(scope: TrustScope, key: PublicKey): string
  /** As `add`, for a public key or identity of Sigstore. */
  addSigner(scope: TrustScope, file: SignerFile): string
  /** Deletes a key or mask from the local directory; false when there is none. */
  remove(scope: TrustScope, fingerprint: string): boolean
  /**
   * Takes the trust in a key of just this scope away: its local file is removed, and one of the system directory is masked. Undefined
   * when no key of the scope has this fingerprint, or it is masked already.
   */
  withdraw(scope: TrustScope, fingerprint: string): { readonly kind: 'removed' | 'masked'; readonly path: string } | undefined
  /** Writes the empty local file that takes away a key of the system directory, and gives its path. */
  mask(scope: TrustScope, fingerprint: string): string
}

const maxPrefixDepth = 64

/** The keystore of these configuration directories; nothing is read before a method is called, and nothing is kept. */
export function openKeystore(dirs: ConfigDirs): Keystore {
  const userKeys = dirs.userKeys === true ? dirs.user : undefined
  const local = `${userKeys ?? dirs.local}/trustedkeys`
  const policies = openPolicies(dirs)
  const sides: readonly Side[] = [
    { kind: 'system', path: `${dirs.system}/trustedkeys` },
    ...(userKeys === undefined ? [] : [{ kind: 'system' as const, path: `${dirs.local}/trustedkeys` }]),
    { kind: 'local', path: local },
  ]
  return {
    policies,
    signersFor: (name) => signersFor(sides, name),
    keysFor: (name) => signersFor(sides, name).filter(isKey),
    isDecided: (name) => layersFor(sides, name).some(({ side, scope }) => filesIn(side, scope).length > 0),
    allSigners: () => allSigners(sides),
    allKeys: () => allSigners(sides).filter(isKey),
    stateFor: (name) => stateFor(sides, { name, policies }),
    add: (scope, key) => storeKey(local, { scope, key }),
    addSigner: (scope, file) => storeSigner(local, { scope, file }),
    remove: (scope, fingerprint) => removeKey(local, { scope, fingerprint: checkSignerID(fingerprint) }),
    withdraw: (scope, fingerprint) => withdraw(sides, { scope, fingerprint: checkSignerID(fingerprint) }),
    mask: (scope, fingerprint) => maskKey(local, { scope, fingerprint: checkSignerID(fingerprint) }),
  }
}

function isKey(signer: TrustedSigner): signer is TrustedKey {
  return signer.kind === 'openpgp'
}

function allSigners(sides: readonly Side[]): TrustedSigner[] {
  return sides.flatMap((side) => [...signersIn(side, { kind: 'root' }), ...signersBelow(side, '')])
}

interface Side {
  readonly kind: 'system' | 'local'
  /** Its `trustedkeys` directory. */
  readonly path: string
}

interface Layer {
  readonly side: Side
  readonly scope: TrustScope
}

/** Search order: root keys, then prefixes from short to long; system before local in both. A later file wins over an earlier one. */
function layersFor(sides: readonly Side[], name: ACIdentifier): Layer[] {
  const prefixes = prefixChain(name)
  return [
    ...sides.map((side): Layer => ({ side, scope: { kind: 'root' } })),
    ...sides.flatMap((side) => prefixes.map((prefix): Layer => ({ side, scope: { kind: 'prefix', prefix } }))),
  ]
}

function signersFor(sides: readonly Side[], name: ACIdentifier): TrustedSigner[] {
  const signers = new Map<string, TrustedSigner>()
  for (const { side, scope } of layersFor(sides, name)) {
    for (const file of filesIn(side, scope)) {
      if (file.content.byteLength === 0) signers.delete(checkedName(file))
      else signers.set(file.name, readTrustedSigner(file, scope))
    }
  }
  return [...signers.values()]
}

function stateFor(sides: readonly Side[], { name, policies }: { readonly name: ACIdentifier; readonly policies: Policies }): string {
  const state = createHash('sha256').update(JSON.stringify(['rkt trust state 2', name]))
  for (const { side, scope } of layersFor(sides, name)) {
    for (const { name: fileName, content } of filesIn(side, scope)) {
      // The length before the content keeps apart where one file ends and the next begins.
      state.update(JSON.stringify([side.kind, scopeDirectory(scope), fileName, content.byteLength])).update(content)
    }
  }
  for (const { side, name: fileName, content } of policies.files()) state.update(JSON.stringify(['policy', side, fileName, content.byteLength])).update(content)
  return `sha256:${state.digest('hex')}`
}

function withdraw(sides: readonly Side[], key: { readonly scope: TrustScope; readonly fingerprint: string }): ReturnType<Keystore['withdraw']> {
  const find = (kind: Side['kind']): GuardedFile | undefined =>
    sides.filter((side) => side.kind === kind).flatMap((side) => filesIn(side, key.scope)).find(({ name }) => name === key.fingerprint)
  const local = find('local')
  if (local?.content.byteLength === 0) return undefined
  const trustedKeys = sides.find(({ kind }) => kind === 'local')?.path ?? ''
  // One step: a local copy that went first would leave the system's key in force for a moment.
  if ((find('system')?.content.byteLength ?? 0) > 0) return { kind: 'masked', path: maskKey(trustedKeys, key) }
  if (local === undefined) return undefined
  removeKey(trustedKeys, key)
  return { kind: 'removed', path: local.path }
}

function filesIn(side: Side, scope: TrustScope): readonly GuardedFile[] {
  if (!checkGuardedDirectory(side.path)) return []
  if (scope.kind === 'prefix' && !checkGuardedDirectory(`${side.path}/prefix.d`)) return []
  return readGuardedDirectory(`${side.path}/${scopeDirectory(scope)}`).files
}

function signersIn(side: Side, scope: TrustScope): TrustedSigner[] {
  return filesIn(side, scope)
    .filter(({ content }) => content.byteLength > 0)
    .map((file) => readTrustedSigner(file, scope))
}

/** Signers of every prefix below one; a directory whose name no image can have holds nothing that matters. */
function signersBelow(side: Side, prefix: string): TrustedSigner[] {
  if (prefix.split('/').length > maxPrefixDepth) throw new RktError('limit-exceeded', `cannot read trusted keys in ${quote(side.path)}: nested deeper than ${maxPrefixDepth}`)
  if (!checkGuardedDirectory(side.path)) return []
  const { directories } = readGuardedDirectory(`${side.path}/prefix.d${prefix === '' ? '' : `/${prefix}`}`)
  return directories.flatMap((name) => {
    const below = asACIdentifier(prefix === '' ? name : `${prefix}/${name}`)
    return below === undefined ? [] : [...signersIn(side, { kind: 'prefix', prefix: below }), ...signersBelow(side, below)]
  })
}
