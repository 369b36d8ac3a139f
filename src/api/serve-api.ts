import type { Log } from '../base/index.ts'
import { watchEvents } from './events/index.ts'
import { makeGrpcService, type GrpcService } from './grpc/index.ts'
import { isMissingAddress, listen, type ListenAddress } from './listen/index.ts'
import type { InfoMessage } from './messages/index.ts'
import { Images } from './service/images.ts'
import { methodsOf } from './service/methods.ts'

export interface ServeApiOptions {
  readonly dataDir: string
  readonly addresses: readonly ListenAddress[]
  /** What clients are told of this program; the version of the interface is ours. */
  readonly info: Omit<InfoMessage, 'apiVersion'>
  /** Whose members may connect to a socket at a path. */
  readonly groupID: number | undefined
  readonly log: Log
  /** Milliseconds since 1970. */
  readonly now: () => number
  /** Ends the service. */
  readonly signal: AbortSignal
}

/** Version of the interface that specs/api.proto describes. */
const apiVersion = '1.0.0-alpha'

/**
 * Answers questions about pods and images until the signal comes.
 *
 * @throws RktError `busy` or `network` when an address cannot be listened on.
 */
export async function serveApi({ dataDir, addresses, info, groupID, log, now, signal }: ServeApiOptions): Promise<void> {
  log.info('API service starting...')
  const images = new Images({ dataDir, appcVersion: info.appcVersion, log })
  const ending = new AbortController()
  const events = watchEvents({ dataDir, log, now, signal: ending.signal })
  const pods = { dataDir, log, formatOf: images.formatOf.bind(images) }
  const service = makeGrpcService({ methods: methodsOf({ info: { ...info, apiVersion }, pods, images, events }), onFault: log.warn })
  try {
    for (const place of await listenOnAll(service, addresses, { groupID, log })) log.info(`Listening on ${place}`)
    log.info('API service running')
    if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
    log.info('API service exiting...')
  } finally {
    await service.end()
    ending.abort()
  }
}

/** All addresses, except loopback addresses of a kind that this host does not have, when there is another. */
async function listenOnAll(service: GrpcService, addresses: readonly ListenAddress[], { groupID, log }: Pick<ServeApiOptions, 'groupID' | 'log'>): Promise<readonly string[]> {
  const places: string[] = []
  let missing: unknown
  for (const address of addresses) {
    try {
      places.push(await listen(service.makeServer(), address, { groupID }))
    } catch (error) {
      if (!isMissingAddress(error)) throw error
      missing = error
      log.debug('api', String(error))
    }
  }
  if (places.length === 0) throw missing
  return places
}
