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

/**
 * Parses a value of `--port` of `rkt app sandbox`, whose apps are not known yet: `NAME:PROTO:PODPORT:HOSTIP:HOSTPORT`.
 *
 * @throws RktError `usage`.
 */
export function parseSandboxPortFlag(text: string): ExposedPort {
  const [, name, protocol, podDigits, bracketed, plain, hostDigits] = /^([^:]+):(tcp|udp):([0-9]{1,5}):(?:\[([^\]]*)\]|([^:]*)):([0-9]{1,5})$/.exec(text) ?? []
  const [podPort, hostPort] = [Number(podDigits), Number(hostDigits)]
  const hostIP = bracketed ?? plain ?? ''
  const inRange = [podPort, hostPort].every((port) => port >= 1 && port <= 65535)
  if (name === undefined || protocol === undefined || !inRange || (hostIP !== '' && isIP(hostIP) === 0)) {
    throw new RktError('usage', `cannot use --port=${quote(text)}: expected NAME:PROTO:PODPORT:HOSTIP:HOSTPORT`)
  }
  const acName = parseACName(name)
  return {
    name: acName,
    hostPort,
    ...(hostIP === '' ? {} : { hostIP }),
    podPort: { name: acName, protocol, port: podPort, count: 1, socketActivated: false },
  }
}

function malformed(text: string): RktError {
  return new RktError('usage', `cannot use --port=${quote(text)}: expected NAME:[HOSTIP:]HOSTPORT`)
}
