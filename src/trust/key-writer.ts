import { mkdirSync, rmSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { errorText, isErrno, quote, RktError, syncDirectory, writeDurably } from '../base/index.ts'
import { armor } from './armor.ts'
import { checkGuardedDirectory } from './guarded-directory.ts'
import type { PublicKey } from './public-key.ts'
import { scopeDirectory, type TrustScope } from './scope.ts'

interface KeyFile {
  readonly scope: TrustScope
  readonly fingerprint: string
}

/** Writes one armoured key below a `trustedkeys` directory, durably, and gives its path. */
export function storeKey(trustedKeys: string, { scope, key }: { readonly scope: TrustScope; readonly key: PublicKey }): string {
  return writeKeyFile(trustedKeys, { scope, fingerprint: key.fingerprint, content: armor('PGP PUBLIC KEY BLOCK', key.bytes) })
}

/** A public key or identity of Sigstore as its file holds it. */
export interface SignerFile {
  readonly id: string
  readonly content: string
}

/** As `storeKey`, for a public key or identity of Sigstore. */
export function storeSigner(trustedKeys: string, { scope, file }: { readonly scope: TrustScope; readonly file: SignerFile }): string {
  return writeKeyFile(trustedKeys, { scope, fingerprint: file.id, content: file.content })
}

/** Writes an empty file, which masks the key of that name, and gives its path. */
export function maskKey(trustedKeys: string, file: KeyFile): string {
  return writeKeyFile(trustedKeys, { ...file, content: '' })
}

/** Deletes a key or mask durably; false when there is none. */
export function removeKey(trustedKeys: string, file: KeyFile): boolean {
  const path = keyPath(trustedKeys, file)
  try {
    rmSync(path)
    syncDirectory(dirname(path))
    return true
  } catch (cause) {
    if (isErrno(cause, 'ENOENT')) return false
    throw new RktError('io', `cannot remove key ${quote(path)}: ${errorText(cause)}`, { cause })
  }
}

function writeKeyFile(trustedKeys: string, file: KeyFile & { readonly content: string }): string {
  const path = keyPath(trustedKeys, file)
  try {
    makeDirectories(trustedKeys, scopeDirectory(file.scope))
    writeDurably(path, file.content, { mode: 0o644 })
    return path
  } catch (cause) {
    if (cause instanceof RktError) throw cause
    throw new RktError('io', `cannot store key ${quote(path)}: ${errorText(cause)}`, { cause })
  }
}

function keyPath(trustedKeys: string, { scope, fingerprint }: KeyFile): string {
  return `${trustedKeys}/${scopeDirectory(scope)}/${fingerprint}`
}

/** Makes what is missing, each level durable, and checks the owner of each level that is there: no key goes where others can write. */
function makeDirectories(trustedKeys: string, below: string): void {
  mkdirSync(dirname(trustedKeys), { recursive: true, mode: 0o755 })
  let path = trustedKeys
  for (const part of ['', ...below.split('/')]) {
    if (part !== '') path = `${path}/${part}`
    if (checkGuardedDirectory(path)) continue
    try {
      mkdirSync(path, { mode: 0o755 })
    } catch (error) {
      if (!isErrno(error, 'EEXIST') || !statSync(path).isDirectory()) throw error
    }
    syncDirectory(dirname(path))
  }
}
