import { libraryFile, type PodUUID } from '../../base/index.ts'
import type { EndExec } from '../plan-networks.ts'
import { registrationPath } from './socket.ts'

/** Takes the registration back; without a service there is none. */
export function unregistration(uuid: PodUUID): EndExec {
  const stdin = Buffer.from(`DELETE /pods/${uuid} HTTP/1.1\r\nHost: rkt\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
  return { argv: [libraryFile('keep-network'), 'send', registrationPath], env: {}, stdin }
}
