import { quote, RktError } from '../base/index.ts'

/** One network that a pod asks for, with the arguments that its plugin gets as `CNI_ARGS`. */
export interface NetworkName {
  readonly name: string
  /** `K=V;K2=V2`, as given; empty for none. */
  readonly args: string
}

/** What `--net` asks for. The name `all` stands for every configured network and is resolved when the plan is made. */
export type NetRequest =
  | { readonly kind: 'none' }
  | { readonly kind: 'host' }
  | { readonly kind: 'networks'; readonly names: readonly NetworkName[] }

/**
 * Parses the values of `--net`, each a comma list of `NAME[:K=V[;K2=V2…]]`; no value means the network `default`.
 *
 * @throws RktError `usage`.
 */
export function parseNetFlag(values: readonly string[]): NetRequest {
  const names = new Map<string, NetworkName>()
  for (const item of values.flatMap((value) => value.split(','))) {
    const network = parseItem(item)
    if (names.has(network.name)) throw new RktError('usage', `found duplicate netname ${quote(network.name)}`)
    names.set(network.name, network)
  }
  for (const kind of ['none', 'host'] as const) {
    if (!names.has(kind)) continue
    if (names.size === 1) return { kind }
    throw new RktError('usage', `cannot use --net=${[...names.keys()].map((name) => quote(name)).join(',')}: netname "${kind}" excludes all others`)
  }
  return { kind: 'networks', names: names.size === 0 ? [{ name: 'default', args: '' }] : [...names.values()] }
}

function parseItem(item: string): NetworkName {
  const [name = '', args, ...more] = item.split(':')
  if (name === '') throw new RktError('usage', 'netname must not be empty')
  if (args === undefined) return { name, args: '' }
  if (more.length > 0) {
    throw new RktError('usage', `network ${quote(name)} provided with invalid arguments: ${quote([args, ...more].join(':'))}`, {
      hint: 'arguments are written NAME:K=V;K2=V2',
    })
  }
  if (name === 'all' || name === 'host' || name === 'none') {
    throw new RktError('usage', `arguments are not supported by special netname ${quote(name)}`)
  }
  return { name, args }
}
