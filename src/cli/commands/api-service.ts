import { parseListenAddress, serveApi, type ListenAddress } from '../../api/index.ts'
import { RktError } from '../../base/index.ts'
import { groupOfRkt } from '../../store/index.ts'
import { takeNone } from '../arguments.ts'
import type { Context } from '../context.ts'
import type { InsecureOptions } from '../insecure.ts'
import { listenFds } from '../listen-fds.ts'
import type { Invocation } from '../parse/invocation.ts'
import { appcVersion, rktVersion } from '../version.ts'

/** Answers questions about pods and images until SIGTERM or SIGINT comes. */
export async function run(context: Context, invocation: Invocation): Promise<number> {
  takeNone(invocation)
  const { config } = context
  await serveApi({
    dataDir: context.dataDir,
    addresses: addressesOf(context, invocation),
    info: {
      rktVersion,
      appcVersion,
      flags: {
        dir: context.dataDir,
        systemConfigDir: config.system,
        localConfigDir: config.local,
        userConfigDir: config.user ?? '',
        insecureFlags: insecureText(context.insecure),
        trustKeysFromHttps: context.trustKeysFromHttps,
      },
    },
    groupID: groupOfRkt(),
    log: context.log,
    now: context.now,
    signal: context.signal,
  })
  return 0
}

function addressesOf(context: Context, { flags }: Invocation): readonly ListenAddress[] {
  const passed = listenFds(context)
  if (passed.length === 0) return parseListenAddress(flags.text('listen') ?? '')
  if (flags.given('listen')) throw new RktError('usage', 'cannot use --listen: the supervisor has passed sockets')
  return passed.map((fd) => ({ kind: 'descriptor', fd }))
}

function insecureText(insecure: InsecureOptions): string {
  const off = Object.entries(insecure).flatMap(([name, isOff]) => (isOff ? [name] : []))
  return off.length === 0 ? 'none' : off.join(',')
}
