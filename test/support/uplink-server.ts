// uplink-server far: on the far side of an uplink, `far` on port 80, and a name server that knows every name; else `near` on the loopback.
import { createSocket } from 'node:dgram'
import { createServer } from 'node:net'

const [, , side] = process.argv
const text = side === 'far' ? 'far\n' : 'near\n'
const server = createServer((socket) => {
  socket.on('error', () => socket.destroy())
  socket.end(text)
})

/** SPEC: RFC 1035: the question again, and for type A the address 192.0.2.77. */
function answerTo(query: Buffer): Buffer {
  let end = 12
  for (let length = query[end] ?? 0; length !== 0; length = query[end] ?? 0) end += length + 1
  const isAddress = query.readUInt16BE(end + 1) === 1
  const header = Buffer.from([query[0] ?? 0, query[1] ?? 0, 0x81, 0x80, 0, 1, 0, isAddress ? 1 : 0, 0, 0, 0, 0])
  const address = Buffer.from([0xc0, 0x0c, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 77])
  return Buffer.concat([header, query.subarray(12, end + 5), ...(isAddress ? [address] : [])])
}

if (side === 'far') {
  const resolver = createSocket('udp4')
  resolver.on('message', (query, { address, port }) => resolver.send(answerTo(query), port, address))
  resolver.bind(53, '0.0.0.0')
  server.listen(80, '0.0.0.0', () => console.log('ready'))
} else {
  server.listen(8099, '127.0.0.1', () => console.log('ready'))
}
