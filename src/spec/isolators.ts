import { fault, member, type Decoder } from './decode.ts'
import { acIdentifier, checked, filledText, flag, integer, list, object, optional, orElse, required, textAs, textMap, textWhere } from './decoders.ts'
import type { Isolator, IsolatorKind } from './isolator.ts'
import { asQuantity, type Quantity } from './quantity.ts'

type Details = Isolator extends infer I ? (I extends Isolator ? Omit<I, 'name' | 'value' | 'optional'> : never) : never

interface Limits {
  readonly request?: Quantity
  readonly limit?: Quantity
}

const quantityWanted = 'a quantity such as 16Mi, 1G or 250m, neither negative nor above 8Pi'

const quantity: Decoder<Quantity> = (at) => {
  // SPEC: the original's reader takes a bare number for its text.
  return textAs(asQuantity, quantityWanted)(typeof at.value === 'number' ? { ...at, value: String(at.value) } : at)
}

const filledSet: Decoder<readonly string[]> = checked(list(filledText), (set, at) => {
  if (set.length === 0) fault(at, 'set must be non-empty')
})

const errnoName: Decoder<string> = textWhere((value) => value === '' || /^E[A-Z0-9]+$/.test(value), 'the name of an errno, such as EPERM')
const seccomp = object({ set: required(filledSet), errno: orElse(errnoName, () => '') })
const capabilities = object({ set: required(filledSet) })
const contextPart = textWhere((value) => value !== '' && !value.includes(':'), 'text that is not empty and has no colon')
const context = object({ user: required(contextPart), role: required(contextPart), type: required(contextPart), level: required(filledText) })
const profile = object({ profile: required(filledText) })

function resource(wanted: { readonly default: boolean }): Decoder<Limits> {
  const fields = object({ default: orElse(flag, () => false), request: optional(quantity), limit: optional(quantity) })
  return checked(fields, (value, at) => {
    if (value.default !== wanted.default) fault(at, `default must be ${wanted.default}`)
    if (wanted.default && value.request !== undefined) fault(at, 'request not supported by this resource, must be empty')
  })
}

const decoders: ReadonlyMap<string, Decoder<Details>> = new Map<string, Decoder<Details>>([
  ['os/linux/capabilities-retain-set', then(capabilities, ({ set }) => ({ kind: 'capabilities-retain', set }))],
  ['os/linux/capabilities-remove-set', then(capabilities, ({ set }) => ({ kind: 'capabilities-remove', set }))],
  ['os/linux/seccomp-retain-set', then(seccomp, ({ set, errno }) => ({ kind: 'seccomp-retain', set, ...(errno === '' ? {} : { errno }) }))],
  ['os/linux/seccomp-remove-set', then(seccomp, ({ set, errno }) => ({ kind: 'seccomp-remove', set, ...(errno === '' ? {} : { errno }) }))],
  ['os/linux/no-new-privileges', then(flag, (enabled) => ({ kind: 'no-new-privileges', enabled }))],
  ['os/linux/oom-score-adj', then(integer(-1000, 1000), (score) => ({ kind: 'oom-score-adj', score }))],
  ['os/linux/cpu-shares', then(integer(2, 262144), (shares) => ({ kind: 'cpu-shares', shares }))],
  ['os/linux/selinux-context', then(context, (parts) => ({ kind: 'selinux-context', ...parts }))],
  ['os/linux/apparmor-profile', then(profile, (parts) => ({ kind: 'apparmor-profile', ...parts }))],
  ['os/unix/sysctl', then(textMap, (settings) => ({ kind: 'sysctl', settings }))],
  ['resource/memory', then(resource({ default: false }), memory)],
  ['resource/cpu', then(resource({ default: false }), cpu)],
  ['resource/block-bandwidth', then(resource({ default: true }), ({ limit }) => ({ kind: 'block-bandwidth', ...(limit === undefined ? {} : { bytesPerSecond: limit.units }) }))],
  ['resource/block-iops', then(resource({ default: true }), ({ limit }) => ({ kind: 'block-iops', ...(limit === undefined ? {} : { operationsPerSecond: limit.units }) }))],
  ['resource/network-bandwidth', then(resource({ default: true }), () => ({ kind: 'network-bandwidth' }))],
])

const rawIsolator = object({ name: required(acIdentifier), value: optional<unknown>((at) => at.value), optional: orElse(flag, () => false) })

/** One isolator; its member `optional`, beside name and value, is ours and unknown to other readers. */
export const isolator: Decoder<Isolator> = (at) => {
  const raw = rawIsolator(at)
  if (raw === undefined) return undefined
  const { name, value = null } = raw
  const named = { name, value, ...(raw.optional ? { optional: true as const } : {}) }
  const decode = decoders.get(name)
  if (decode === undefined) return { kind: 'other', ...named }
  const there = member(at, 'value', value)
  if (value === null) return fault(there, 'missing')
  const details = decode(there)
  return details === undefined ? undefined : { ...details, ...named }
}

/** Kinds of which one app may have several: they add up. */
const repeatable: ReadonlySet<IsolatorKind> = new Set(['capabilities-retain', 'capabilities-remove', 'no-new-privileges', 'memory', 'cpu', 'other'])

/** The isolators of an app, which together must make sense. */
export const isolators: Decoder<readonly Isolator[]> = checked(list(isolator), (all, at) => {
  if (all.filter((one) => one.kind === 'seccomp-retain' || one.kind === 'seccomp-remove').length > 1) fault(at, 'too many seccomp isolators specified')
  const seen = new Set<string>()
  for (const one of all) {
    const seccompKind = one.kind === 'seccomp-retain' || one.kind === 'seccomp-remove'
    if (seen.has(one.name) && !repeatable.has(one.kind) && !seccompKind) fault(at, `isolators set contains too many instances of type ${one.name}`)
    seen.add(one.name)
  }
})

function memory({ request, limit }: Limits): Details {
  return {
    kind: 'memory',
    ...(request === undefined ? {} : { requestBytes: request.units }),
    ...(limit === undefined ? {} : { limitBytes: limit.units }),
  }
}

function cpu({ request, limit }: Limits): Details {
  return {
    kind: 'cpu',
    ...(request === undefined ? {} : { requestMillis: request.millis }),
    ...(limit === undefined ? {} : { limitMillis: limit.millis }),
  }
}

function then<T, U>(decode: Decoder<T>, make: (value: T) => U): Decoder<U> {
  return (at) => {
    const value = decode(at)
    return value === undefined ? undefined : make(value)
  }
}
