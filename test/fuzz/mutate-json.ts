import type { Random } from './random.ts'

const oddValues: readonly unknown[] = [
  null, true, false, 0, -1, 1.5, 1e21, 2 ** 32, 2 ** 53, '', ' ', '0', 'a', '/', '..', '../../etc/passwd', '/etc/../..', '\0', '\n', '\u001b[2J', '\u202e', '\ud800', '__proto__',
  'a'.repeat(300), 'a/'.repeat(3000), [], {}, [[]], [null], { '': '' }, { constructor: 1 }, Array.from({ length: 2000 }, () => 'x'),
]

interface Slot {
  readonly holder: Record<string, unknown>
  readonly key: string
}

/** The document with one of its values exchanged, doubled or taken away; undefined when it is none. */
export function mutateJson(bytes: Buffer, random: Random): Buffer | undefined {
  const root: Record<string, unknown> = {}
  try {
    root['document'] = JSON.parse(bytes.toString('utf8'))
  } catch {
    return undefined
  }
  const slots = slotsOf(root)
  const { holder, key } = random.of(slots)
  const other = random.of(slots)
  switch (random.below(5)) {
    case 0:
      holder[key] = structuredClone(random.of(oddValues))
      break
    case 1:
      holder[key] = structuredClone(other.holder[other.key])
      break
    case 2:
      if (Array.isArray(holder)) holder.splice(Number(key), 1)
      else delete holder[key]
      break
    case 3:
      if (Array.isArray(holder)) holder.push(structuredClone(holder[Number(key)]))
      else holder[random.of(['extra', other.key, `${key} `, key.toUpperCase()])] = holder[key]
      break
    default:
      holder[key] = changedLeaf(holder[key], random)
  }
  const text = JSON.stringify(root['document'])
  return text === undefined ? undefined : Buffer.from(text)
}

function changedLeaf(value: unknown, random: Random): unknown {
  if (typeof value === 'number') return random.of([-value, value + 1, value * 1e6, value / 3, String(value)])
  if (typeof value !== 'string') return [value]
  const at = random.below(value.length + 1)
  return random.of([value.slice(0, at), `${value.slice(0, at)}${String(random.of(oddValues))}${value.slice(at)}`, value.toUpperCase(), `${value}${value}`, Number(value)])
}

/** Every place of the document where a value stands; a deep one has its upper part only. */
function slotsOf(root: Record<string, unknown>): readonly Slot[] {
  const slots: Slot[] = []
  const waiting: unknown[] = [root]
  for (let at = 0; at < waiting.length && slots.length < 3000; at += 1) {
    const holder = waiting[at]
    if (typeof holder !== 'object' || holder === null) continue
    // SAFETY: what JSON.parse() gives is plain; a list is changed by its indices.
    const fields = holder as Record<string, unknown>
    for (const key of Object.keys(fields)) {
      slots.push({ holder: fields, key })
      waiting.push(fields[key])
    }
  }
  return slots
}
