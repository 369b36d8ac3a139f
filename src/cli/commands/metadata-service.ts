import { RktError } from '../../base/index.ts'
import { registrationPath, serveMetadata } from '../../network/index.ts'
import { takeNone } from '../arguments.ts'
import type { Context } from '../context.ts'
import { listenFds } from '../listen-fds.ts'
import type { Invocation } from '../parse/invocation.ts'

/** Tells apps about their pods until SIGTERM or SIGINT comes. */
export async function run(context: Context, invocation: Invocation): Promise<number> {
  takeNone(invocation)
  const port = invocation.flags.int('listen-port') ?? 0
  if (port < 1 || port > 65535) throw new RktError('usage', `cannot listen on port ${port}: expected 1 to 65535`)
  const fd = passedSocket(context)
  await serveMetadata({
    port,
    registration: fd === undefined ? { kind: 'path', path: registrationPath } : { kind: 'descriptor', fd },
    log: context.log.info,
    signal: context.signal,
  })
  return 0
}

/** Pods register on one socket. */
function passedSocket(context: Context): number | undefined {
  const [fd, ...others] = listenFds(context)
  if (others.length > 0) throw new RktError('usage', `cannot use ${others.length + 1} passed sockets: expected one, for registration`)
  return fd
}
