import type { Expression } from './expression.ts'
import { type Change, messageType, nested, numberAttribute, textAttribute } from './message.ts'

/** The table belongs to the socket that makes it: others cannot change it, `nft flush ruleset` passes it by, and it ends with the socket. */
const flagOwner = 2

/** Hooks and priorities of address translation; KERNEL: include/uapi/linux/netfilter_ipv4.h. */
const chains = {
  prerouting: { hook: 0, priority: -100 },
  output: { hook: 3, priority: -100 },
  postrouting: { hook: 4, priority: 100 },
} as const

export type ChainName = keyof typeof chains

/** Makes the table of one pod, with its three chains and no rule. */
export function newTable(name: string): readonly Change[] {
  return [
    { type: messageType.newTable, attributes: [textAttribute(1, name), numberAttribute(2, flagOwner)] },
    ...Object.entries(chains).map(([chain, { hook, priority }]): Change => ({
      type: messageType.newChain,
      attributes: [
        textAttribute(1, name),
        textAttribute(3, chain),
        nested(4, [numberAttribute(1, hook), numberAttribute(2, priority)]),
        textAttribute(7, 'nat'),
      ],
    })),
  ]
}

/** Adds a rule at the end of a chain. */
export function newRule(table: string, { chain, steps }: { readonly chain: ChainName; readonly steps: readonly Expression[] }): Change {
  return { type: messageType.newRule, attributes: [textAttribute(1, table), textAttribute(2, chain), nested(4, steps)] }
}
