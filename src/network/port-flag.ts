import { isIP } from 'node:net'
import { quote, RktError } from '../base/index.ts'
import { type ExposedPort, parseACName } from '../spec/index.ts'

/**
 * Parses a value of `--port`: `NAME:[HOSTIP:]HOSTPORT`; an IPv6 address stands in brackets.
 *
 * @throws RktError `usage`.
 */
export function parsePortFlag(text: string): ExposedPort {
  const [, name, bracketed, plain, digits] = /^([^:]+):(?:\[([^\]]*)\]:|([^:]*):)?([0-9]{1,5})$/.exec(text) ?? []
  const hostPort = Number(digits)
  const hostIP = bracketed ?? plain
  if (name === undefined || !(hostPort >= 1 && hostPort <= 65535)) throw malformed(text)
  if (hostIP !== undefined && isIP(hostIP) !== (bracketed === undefined ? 4 : 6)) throw malformed(text)
  return { name: parseACName(name), hostPort, ...(hostIP === undefined ? {} : { hostIP }) }
}

function malformed(text: string): RktError {
  return new RktError('usage', `cannot use --port=${quote(text)}: expected NAME:[HOSTIP:]HOSTPORT`)
}
