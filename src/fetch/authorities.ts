import { readFileSync } from 'node:fs'
import { errorText, isErrno, quote, RktError } from '../base/index.ts'

/** Where Debian and its relatives keep what the machine's administrator trusts. */
const systemBundle = '/etc/ssl/certs/ca-certificates.crt'

/**
 * Certificates that vouch for servers: the system's, and those of `files`. Undefined when the system has no bundle and no file is
 * given: then Node's own list holds.
 *
 * @throws RktError `invalid-config` when a named file cannot be read.
 */
export function authorities(files: readonly string[]): Buffer[] | undefined {
  const found = [readSystemBundle(), ...files.map(readNamed)].filter((bytes) => bytes !== undefined)
  return found.length === 0 ? undefined : found
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
