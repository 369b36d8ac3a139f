import type { Server, ServerOptions } from 'node:http'

const limits = {
  /** Connections at once, and of these from one address: a pod cannot shut others out. */
  connections: 512,
  connectionsOfOne: 32,
  headerBytes: 16_384,
  /** The headers, then the whole request, must have come by then. */
  headersMs: 5000,
  requestMs: 20_000,
  /** An idle connection is kept for a next request this long. */
  idleMs: 5000,
} as const

/** Options for a server that faces clients which nobody trusts. */
export const serverOptions: ServerOptions = {
  maxHeaderSize: limits.headerBytes,
  headersTimeout: limits.headersMs,
  requestTimeout: limits.requestMs,
  keepAliveTimeout: limits.idleMs,
  connectionsCheckingInterval: 1000,
}

/** Bounds what clients can hold of a server; closes what is too much. */
export function limitConnections(server: Server): void {
  const open = new Map<string, number>()
  server.maxConnections = limits.connections
  server.maxRequestsPerSocket = 1000
  server.on('connection', (socket) => {
    const client = socket.remoteAddress ?? 'local'
    const count = (open.get(client) ?? 0) + 1
    open.set(client, count)
    socket.once('close', () => {
      const left = (open.get(client) ?? 1) - 1
      if (left === 0) open.delete(client)
      else open.set(client, left)
    })
    // A client that does not read its answer is not waited for.
    socket.setTimeout(limits.requestMs, () => socket.destroy())
    if (count > limits.connectionsOfOne) socket.destroy()
  })
}
