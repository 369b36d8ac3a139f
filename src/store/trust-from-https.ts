import { isRktError, quote } from '../base/index.ts'
import { discoverKeys, receivePublicKeys } from '../fetch/index.ts'
import type { ACIdentifier } from '../spec/index.ts'
import { prepareTrust, type PreparedTrust } from '../trust/index.ts'
import type { AcquireOptions } from './acquire.ts'
import { httpOptions } from './http-options.ts'

/**
 * Trusts, for this very name, the keys that discovery finds; never when a key is trusted or masked for the name already: another key is not
 * added without a person. Certificates are checked and http is refused whatever `--insecure-options` says, since they vouch alone.
 *
 * @throws RktError as discovery, and `key-invalid`.
 */
export async function trustFromHttps(name: ACIdentifier, options: AcquireOptions): Promise<void> {
  const { keystore, log, now } = options
  if (keystore.isDecided(name)) return
  const strict = { ...httpOptions(options), insecure: { tls: false, http: false } }
  const prepared: PreparedTrust[] = []
  for (const url of await findKeys(name, strict)) {
    log.notice('pubkey', `prefix: ${quote(name)}\nkey: ${quote(url)}`)
    const bytes = await receivePublicKeys(url, strict)
    prepared.push(await prepareTrust({ bytes, scope: { kind: 'prefix', prefix: name }, keystore, what: quote(url), now }))
  }
  for (const { keys, commit } of prepared) {
    for (const { path } of commit()) log.notice('pubkey', `Added key for prefix ${quote(name)} at ${quote(path)}`)
    for (const { fingerprint, warnings } of keys) for (const warning of warnings) log.warn(`warning: key ${fingerprint}: ${warning}`)
  }
}

/** None when nobody publishes any: then the signature has the last word. */
async function findKeys(name: ACIdentifier, options: Parameters<typeof discoverKeys>[1]): Promise<readonly string[]> {
  try {
    return await discoverKeys(name, options)
  } catch (error) {
    if (!isRktError(error, 'not-found')) throw error
    options.log.notice('pubkey', `no keys are published for ${quote(name)}`)
    return []
  }
}
