import { readFileSync } from 'node:fs'
import type { SecureContext } from 'node:tls'
import { errorText, isErrno, quote, RktError } from '../base/index.ts'

/** Where Debian and its relatives keep what the machine's administrator trusts. */
const systemBundle = '/etc/ssl/certs/ca-certificates.crt'

const contexts = new Map<string, SecureContext>()

/**
 * What servers are checked against: the system's certificates and those of `files`; Node's own list when there are none of both.
 * Made once for each list of files, since reading a bundle costs more than a request.
 *
 * @throws RktError `invalid-config` when a named file cannot be read.
 */
export async function trustedAuthorities(files: readonly string[]): Promise<SecureContext> {
  const key = JSON.stringify(files)
  const known = contexts.get(key)
  if (known !== undefined) return known
  const { createSecureContext } = await import('node:tls')
  const found = [readSystemBundle(), ...files.map(readNamed)].filter((bytes) => bytes !== undefined)
  const context = createSecureContext(found.length === 0 ? {} : { ca: found })
  contexts.set(key, context)
  return context
}

function readSystemBundle(): Buffer | undefined {
  try {
    return readFileSync(systemBundle)
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return undefined
    throw error
  }
}

function readNamed(path: string): Buffer {
  try {
    return readFileSync(path)
  } catch (cause) {
    throw new RktError('invalid-config', `cannot read certificates ${quote(path)}: ${errorText(cause)}`, { cause })
  }
}
