import { constants, createServer, type Http2Server, type Http2Session } from 'node:http2'
import { RktError } from '../../base/index.ts'
import { carryOut, type CallOptions } from './call.ts'
import { grpcLimits, http2Options } from './limits.ts'
import { Outbox } from './outbox.ts'

export type GrpcOptions = Pick<CallOptions, 'methods' | 'onFault'>

/** A gRPC service, on as many sockets as one likes. */
export interface GrpcService {
  /** A server that is yet to listen. */
  makeServer(): Http2Server
  /** Ends all calls and connections. */
  end(): Promise<void>
}

/** After the end, clients have this long to take what was sent to them. */
const partingMs = 500

export function makeGrpcService({ methods, onFault }: GrpcOptions): GrpcService {
  const ending = new AbortController()
  const options: CallOptions = { methods, onFault, outbox: new Outbox(), signal: ending.signal, longCalls: { count: 0 } }
  const sessions = new Map<Http2Session, { calls: number }>()
  const servers: Http2Server[] = []
  return {
    makeServer() {
      const server = createServer(http2Options)
      server.on('session', (session) => admit(session, sessions))
      server.on('stream', (stream, headers) => {
        const held = stream.session === undefined ? undefined : sessions.get(stream.session)
        if (held !== undefined) held.calls += 1
        stream.once('close', () => {
          if (held !== undefined) held.calls -= 1
        })
        void carryOut(stream, headers, options)
      })
      // ATTACK: errors of clients without a listener would end the process.
      server.on('sessionError', () => undefined)
      servers.push(server)
      return server
    },
    async end() {
      ending.abort(new RktError('cancelled', 'the service ends'))
      for (const server of servers) server.close()
      const closed = [...sessions.keys()].map((session) => new Promise<void>((resolve) => (session.closed && session.destroyed ? resolve() : session.close(resolve))))
      let timer: NodeJS.Timeout | undefined
      await Promise.race([Promise.all(closed), new Promise((resolve) => (timer = setTimeout(resolve, partingMs)))])
      clearTimeout(timer)
      for (const session of sessions.keys()) session.destroy()
    },
  }
}

/** When there are too many connections, the one goes that has had no call for longest. */
function admit(session: Http2Session, sessions: Map<Http2Session, { calls: number }>): void {
  if (sessions.size >= grpcLimits.connections) {
    const idle = [...sessions].find(([, { calls }]) => calls === 0)
    const victim = idle?.[0] ?? session
    sessions.delete(victim)
    victim.destroy(undefined, constants.NGHTTP2_ENHANCE_YOUR_CALM)
    if (victim === session) return
  }
  const held = { calls: 0 }
  sessions.set(session, held)
  session.on('error', () => undefined)
  session.once('close', () => sessions.delete(session))
  // Those that are used stand behind those that are not.
  session.on('stream', () => {
    if (sessions.delete(session)) sessions.set(session, held)
  })
  session.setTimeout(grpcLimits.idleMs, () => {
    if (held.calls === 0) session.close()
  })
}
