import { isIP } from 'node:net'
import { libraryFile } from '../../base/index.ts'
import { isLoopback, type PodAddress, versionOf } from '../netfilter/pod-rules.ts'
import type { EndExec } from '../plan-networks.ts'
import { everyAddress, type PortMapping } from '../resolve-ports.ts'

/** Where iptables is looked for; the same for a start and an end. */
export const iptablesPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/** KERNEL: 6.1 may be built without nf_tables; the chains then have the names that the original gave them. */
function chainNames(uuid: string): { readonly forward: string; readonly answer: string } {
  return { forward: `RKT-PFWD-DNAT-${uuid.slice(0, 8)}`, answer: `RKT-PFWD-SNAT-${uuid.slice(0, 8)}` }
}

function jumps(uuid: string): readonly (readonly string[])[] {
  const { forward, answer } = chainNames(uuid)
  const local = ['-m', 'addrtype', '--dst-type', 'LOCAL', '-j', forward]
  return [['PREROUTING', ...local], ['OUTPUT', ...local], ['POSTROUTING', '-j', answer]]
}

export interface ChainOptions {
  readonly uuid: string
  readonly ports: readonly PortMapping[]
  readonly target: PodAddress
}

/** Input of `iptables-restore --noflush` (or ip6tables-restore) that lets ports lead to one address of a pod. */
export function podChains({ uuid, ports, target: { ip } }: ChainOptions): string {
  const { forward, answer } = chainNames(uuid)
  const redirected = `-A ${answer} -d ${ip} -m conntrack --ctstate DNAT`
  return [
    '*nat',
    `:${forward} - [0:0]`,
    `:${answer} - [0:0]`,
    ...ports.flatMap((port) => forwarding(forward, { ip, port })),
    `${redirected} -m addrtype --src-type LOCAL -j MASQUERADE`,
    `${redirected} -s ${ip} -j MASQUERADE`,
    ...jumps(uuid).map((words) => `-I ${words.join(' ')}`),
    'COMMIT',
    '',
  ].join('\n')
}

/** ATTACK: as in the nftables rules, what is for a loopback address or only passes through is left alone. */
function forwarding(chain: string, { ip, port }: { readonly ip: string; readonly port: PortMapping }): readonly string[] {
  const { hostIP, protocol, hostPort, podPort } = port
  const version = versionOf(ip)
  const every = hostIP === everyAddress || /^[0:]+$/.test(hostIP)
  if (!every && (isIP(hostIP) !== version || isLoopback(hostIP))) return []
  const destination = every ? `! -d ${version === 4 ? '127.0.0.0/8' : '::1/128'}` : `-d ${hostIP}`
  const to = version === 4 ? `${ip}:${podPort}` : `[${ip}]:${podPort}`
  return [`-A ${chain} ${destination} -p ${protocol} --dport ${hostPort} -j DNAT --to-destination ${to}`]
}

/** What removes the chains again, and does nothing where they are gone. */
export function chainsEnd(uuid: string): readonly EndExec[] {
  const { forward, answer } = chainNames(uuid)
  const steps = [...jumps(uuid).map((words) => ['-D', ...words]), ...[forward, answer].flatMap((chain) => [['-F', chain], ['-X', chain]])]
  return ['iptables', 'ip6tables'].flatMap((program) =>
    steps.map((words) => ({
      argv: [libraryFile('keep-network'), 'try', program, '--wait', '10', '-t', 'nat', ...words],
      env: { PATH: iptablesPath },
      stdin: new Uint8Array(),
    })))
}
