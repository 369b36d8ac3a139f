import type { ConfiguredNetwork } from './configured-network.ts'

/** The networks that exist without configuration; a `net.d` file of the same name replaces one. */
export const builtinNetworks: readonly ConfiguredNetwork[] = [
  builtin('default', {
    ipMasq: true,
    ipam: { type: 'host-local', subnet: '172.16.28.0/24', routes: [{ dst: '0.0.0.0/0' }] },
  }),
  builtin('default-restricted', {
    ipMasq: false,
    ipam: { type: 'host-local', subnet: '172.31.0.0/16' },
  }),
]

function builtin(name: string, keys: Readonly<Record<string, unknown>> & { readonly ipMasq: boolean }): ConfiguredNetwork {
  const cniVersion = '1.0.0'
  const type = 'ptp'
  const conf = { cniVersion, name, type, ...keys }
  return { name, plugins: [{ type, conf, capabilities: [] }], cniVersion, fileName: `99-${name}.conf`, conf, masquerade: keys.ipMasq, builtin: true }
}
