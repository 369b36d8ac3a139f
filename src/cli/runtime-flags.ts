import { escapeText, quote, RktError, type PodUUID } from '../base/index.ts'
import { parseDnsFlags, parseHostsFlags, parseNetFlag, podHostname } from '../network/index.ts'
import { asQuantity } from '../spec/index.ts'
import { type LogLimits, type RuntimeOptions, usualLogLimits } from '../stage1/index.ts'
import type { Context } from './context.ts'
import type { FlagValues } from './parse/flag-values.ts'

/** A file takes several of the longest lines. */
const leastLogBytes = 64 * 1024

/** How a pod is to be started, but for its name. */
export type StartFlags = Omit<RuntimeOptions, 'hostname'> & { readonly hostname: (uuid: PodUUID) => string }

/**
 * Reads the flags that `run` and `run-prepared` share.
 *
 * @throws RktError `usage` with the original's texts.
 */
export function readStartFlags(flags: FlagValues, context: Context): StartFlags {
  const net = parseNetFlag(flags.list('net'))
  if (flags.bool('mds-register') && net.kind === 'none') {
    throw new RktError('usage', "--mds-register flag does not work with --net=none. Please use 'host', 'default' or an equivalent network")
  }
  const domain = flags.text('dns-domain')
  const { capabilities, paths, seccomp } = context.insecure
  return {
    net,
    dns: parseDnsFlags({
      dns: flags.list('dns'),
      search: flags.list('dns-search'),
      options: flags.list('dns-opt'),
      ...(domain === undefined ? {} : { domain }),
    }),
    hosts: parseHostsFlags(flags.list('hosts-entry')),
    hostname: (uuid) => podHostname(flags.text('hostname'), uuid),
    interactive: flags.bool('interactive'),
    insecure: { capabilities, paths, seccomp },
    mdsRegister: flags.bool('mds-register'),
    debug: context.debug,
    ipc: parseIpc(flags.text('ipc') ?? ''),
    removeAtEnd: flags.bool('rm'),
    logs: readLogLimits(flags),
  }
}

/**
 * Refuses flags of `run` that mean nothing on the network that was asked for.
 *
 * @throws RktError `usage` with the original's texts.
 */
export function checkNetFlags(flags: FlagValues, { net }: Pick<StartFlags, 'net'>): void {
  if (flags.list('port').length > 0 && net.kind !== 'networks') {
    throw new RktError('usage', `--port flag does not work with '${net.kind}' networking`)
  }
}

/** @throws RktError `usage`. */
function readLogLimits(flags: FlagValues): LogLimits {
  const size = flags.text('log-size')
  const files = flags.int('log-files') ?? usualLogLimits.files
  const maxBytes = size === undefined ? usualLogLimits.maxBytes : asQuantity(size)?.units
  if (maxBytes === undefined || (maxBytes > 0 && maxBytes < leastLogBytes)) {
    throw new RktError('usage', `cannot use --log-size=${quote(size ?? '')}: expected at least 64Ki, or 0 for files without an end`)
  }
  if (files < 1 || files > 100) throw new RktError('usage', `cannot use --log-files=${files}: expected 1 to 100`)
  return { maxBytes, files }
}

function parseIpc(text: string): RuntimeOptions['ipc'] {
  if (text === '' || text === 'auto') return 'private'
  if (text === 'private' || text === 'parent') return text
  throw new RktError('usage', `unknown value for --ipc parameter: ${escapeText(text)}`, { hint: `expected auto, private or parent` })
}
