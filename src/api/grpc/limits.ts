import type { ServerOptions } from 'node:http2'

/** What clients, whom nobody has asked who they are, can hold of the service. */
export const grpcLimits = {
  connections: 256,
  /** Calls at once on one connection. */
  streamsOfOne: 64,
  /** Calls at once that go on until somebody ends them. */
  longCalls: 128,
  requestBytes: 131_072,
  /** A whole request must have come by then. */
  requestMs: 10_000,
  /** Whoever does not read its answer is not waited for longer. */
  stalledMs: 30_000,
  /** A connection without calls is kept so long. */
  idleMs: 600_000,
  /** One answer. */
  responseBytes: 67_108_864,
  /** All answers that wait for their readers; the one that waits longest makes room. */
  waitingBytes: 134_217_728,
} as const

/** Options of the HTTP/2 server. */
export const http2Options: ServerOptions = {
  maxSessionMemory: 4,
  maxHeaderListPairs: 64,
  maxOutstandingPings: 4,
  maxSettings: 32,
  unknownProtocolTimeout: 5000,
  settings: { maxConcurrentStreams: grpcLimits.streamsOfOne, maxHeaderListSize: 16_384, enablePush: false },
}
