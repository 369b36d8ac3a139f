import { createHash } from 'node:crypto'
import { quote, RktError } from '../base/index.ts'
import { asACIdentifier, type ACIdentifier } from '../spec/index.ts'
import { checkGuardedDirectory, readGuardedDirectory, type GuardedFile } from './guarded-directory.ts'
import { maskKey, removeKey, storeKey } from './key-writer.ts'
import { readPublicKeys, type PublicKey } from './public-key.ts'
import { prefixChain, scopeDirectory, type TrustScope } from './scope.ts'

/** Configuration directories, least important first; keys are read from the first two, as in the original. */
export interface ConfigDirs {
  /** `/usr/lib/rkt` by default. */
  readonly system: string
  /** `/etc/rkt` by default; keys are added here. */
  readonly local: string
  readonly user?: string
}

/** A public key that the administrator stored. */
export interface TrustedKey extends PublicKey {
  readonly path: string
  readonly scope: TrustScope
  /** Content of the file. */
  readonly armored: Uint8Array
}

/** Keys by prefix of image names: `trustedkeys/{root.d,prefix.d/<prefix>}/<fingerprint>` of two configuration directories. */
export interface Keystore {
  /**
   * The keys that may sign an image of this name: root keys and keys of each prefix in its chain, without masked ones.
   *
   * @throws RktError `key-invalid` naming the file when one is damaged, misnamed, or writable by others.
   */
  keysFor(name: ACIdentifier): TrustedKey[]
  /** Whether any key or mask that `keysFor` looks at is stored for this name: then somebody has decided about it. */
  isDecided(name: ACIdentifier): boolean
  /** Every stored key of every prefix, masked or not; the same key once per file. */
  allKeys(): TrustedKey[]
  /** A hash over the name and every key file and mask that `keysFor` looks at; equal hashes mean equal answers. */
  stateFor(name: ACIdentifier): string
  /** Stores a key durably in the local directory, in place of a mask or an older copy, and gives its path. */
  add(scope: TrustScope, key: PublicKey): string
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

const fingerprintPattern = /^[0-9a-f]{40}$/
const maxPrefixDepth = 64

/** The keystore of these configuration directories; nothing is read before a method is called, and nothing is kept. */
export function openKeystore(dirs: ConfigDirs): Keystore {
  const local = `${dirs.local}/trustedkeys`
  const sides: readonly Side[] = [
    { kind: 'system', path: `${dirs.system}/trustedkeys` },
    { kind: 'local', path: local },
  ]
  return {
    keysFor: (name) => keysFor(sides, name),
    isDecided: (name) => layersFor(sides, name).some(({ side, scope }) => filesIn(side, scope).length > 0),
    allKeys: () => sides.flatMap((side) => [...keysIn(side, { kind: 'root' }), ...keysBelow(side, '')]),
    stateFor: (name) => stateFor(sides, name),
    add: (scope, key) => storeKey(local, { scope, key }),
    remove: (scope, fingerprint) => removeKey(local, { scope, fingerprint: checkFingerprint(fingerprint) }),
    withdraw: (scope, fingerprint) => withdraw(sides, { scope, fingerprint: checkFingerprint(fingerprint) }),
    mask: (scope, fingerprint) => maskKey(local, { scope, fingerprint: checkFingerprint(fingerprint) }),
  }
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

function keysFor(sides: readonly Side[], name: ACIdentifier): TrustedKey[] {
  const keys = new Map<string, TrustedKey>()
  for (const { side, scope } of layersFor(sides, name)) {
    for (const file of filesIn(side, scope)) {
      if (file.content.byteLength === 0) keys.delete(checkedName(file))
      else keys.set(file.name, readTrustedKey(file, scope))
    }
  }
  return [...keys.values()]
}

function stateFor(sides: readonly Side[], name: ACIdentifier): string {
  const state = createHash('sha256').update(JSON.stringify(['rkt trust state 1', name]))
  for (const { side, scope } of layersFor(sides, name)) {
    for (const { name: fileName, content } of filesIn(side, scope)) {
      const digest = content.byteLength === 0 ? 'mask' : createHash('sha256').update(content).digest('hex')
      state.update(JSON.stringify([side.kind, scopeDirectory(scope), fileName, digest]))
    }
  }
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

function keysIn(side: Side, scope: TrustScope): TrustedKey[] {
  return filesIn(side, scope)
    .filter(({ content }) => content.byteLength > 0)
    .map((file) => readTrustedKey(file, scope))
}

/** Keys of every prefix below one; a directory whose name no image can have holds nothing that matters. */
function keysBelow(side: Side, prefix: string): TrustedKey[] {
  if (prefix.split('/').length > maxPrefixDepth) throw new RktError('limit-exceeded', `cannot read trusted keys in ${quote(side.path)}: nested deeper than ${maxPrefixDepth}`)
  if (!checkGuardedDirectory(side.path)) return []
  const { directories } = readGuardedDirectory(`${side.path}/prefix.d${prefix === '' ? '' : `/${prefix}`}`)
  return directories.flatMap((name) => {
    const below = asACIdentifier(prefix === '' ? name : `${prefix}/${name}`)
    return below === undefined ? [] : [...keysIn(side, { kind: 'prefix', prefix: below }), ...keysBelow(side, below)]
  })
}

function readTrustedKey(file: GuardedFile, scope: TrustScope): TrustedKey {
  checkedName(file)
  const keys = readPublicKeys(file.content, `key file ${quote(file.path)}`)
  const [key] = keys
  if (key === undefined || keys.length > 1) throw new RktError('key-invalid', `cannot use key file ${quote(file.path)}: ${keys.length} keys; expected one`)
  if (key.fingerprint !== file.name) {
    throw new RktError('key-invalid', `cannot use key file ${quote(file.path)}: fingerprint mismatch: it holds key ${key.fingerprint}; expected the key that its name says`)
  }
  return { ...key, path: file.path, scope, armored: file.content }
}

function checkedName(file: GuardedFile): string {
  if (!fingerprintPattern.test(file.name)) {
    throw new RktError('key-invalid', `cannot use key file ${quote(file.path)}: its name is not a fingerprint; expected 40 lower-case hexadecimal digits`)
  }
  return file.name
}

function checkFingerprint(text: string): string {
  if (!fingerprintPattern.test(text)) throw new RktError('usage', `cannot use fingerprint ${quote(text)}: expected 40 lower-case hexadecimal digits`)
  return text
}
