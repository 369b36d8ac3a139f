import { createHash } from 'node:crypto'
import { quote, RktError } from '../base/index.ts'
import type { Fault } from './decode.ts'
import { asACName, acNameWanted, type ACName } from './names.ts'
import { parseGoBoolean, parseParameters, parseQueryParameters, parseWholeNumber } from './parameters.ts'
import { volume, type Volume } from './volume.ts'

/** How each parameter of a volume becomes a member of its JSON. */
const volumeParameters: ReadonlyMap<string, (text: string) => unknown> = new Map<string, (text: string) => unknown>([
  ['name', String],
  ['kind', String],
  ['source', String],
  ['mode', String],
  ['propagation', String],
  ['readOnly', parseGoBoolean],
  ['recursive', parseGoBoolean],
  ['uid', parseWholeNumber],
  ['gid', parseWholeNumber],
])

/**
 * The volume in `NAME,kind=host,source=PATH[,readOnly=BOOL][,recursive=BOOL][,propagation=KIND]` or `NAME,kind=empty[,mode=0755][,uid=N][,gid=N]`.
 *
 * @throws RktError `usage` with the original's words.
 */
export function parseVolumeFlag(text: string): Volume {
  try {
    return makeVolume(`name=${text}`)
  } catch (cause) {
    if (!(cause instanceof RktError)) throw cause
    throw new RktError('usage', `invalid value in --volume flag ${quote(text)}: ${cause.message}`, { cause })
  }
}

/**
 * The volume and its place in `target=PATH,kind=host,source=PATH…`, as `--mnt-volume` has it; without `name=` it gets one of its own.
 *
 * @throws RktError `usage`.
 */
export function parseMountVolumeFlag(text: string): { readonly volume: Volume; readonly path: string } {
  const words = text.split(',')
  const target = words.find((word) => word.startsWith('target='))?.slice('target='.length) ?? ''
  const rest = words.filter((word) => !word.startsWith('target='))
  if (target === '' || target.includes('\0')) throw new RktError('usage', `cannot use --mnt-volume ${quote(text)}: no target; expected target=PATH`)
  const named = rest.some((word) => word.startsWith('name='))
  const own = `name=mnt-${createHash('sha256').update(text).digest('hex').slice(0, 16)}`
  try {
    return { volume: makeVolume([...(named ? [] : [own]), ...rest].join(',')), path: target }
  } catch (cause) {
    if (!(cause instanceof RktError)) throw cause
    throw new RktError('usage', `invalid value in --mnt-volume flag ${quote(text)}: ${cause.message}`, { cause })
  }
}

function makeVolume(text: string): Volume {
  const json: [string, unknown][] = [['kind', '']]
  for (const [key, value] of parseParameters(text)) {
    const parse = volumeParameters.get(key)
    if (parse === undefined) throw new RktError('usage', `unknown volume parameter ${quote(key)}`)
    json.push([key, parse(value)])
  }
  const faults: Fault[] = []
  const made = volume({ value: Object.fromEntries(json), path: '$', faults })
  if (made !== undefined) return made
  throw new RktError('usage', faults.map(({ path, problem }) => `${path.slice(2)}: ${problem}`).join('; '))
}

/** Where one app, or every app, sees a volume. */
export interface MountFlag {
  readonly volume: ACName
  readonly path: string
}

/**
 * The mount in `volume=NAME,target=PATH`.
 *
 * @throws RktError `usage` with the original's words.
 */
export function parseMountFlag(text: string): MountFlag {
  const parameters = parseQueryParameters(text)
  for (const key of parameters.keys()) {
    if (key !== 'volume' && key !== 'target') throw new RktError('usage', `unknown mount parameter ${quote(key)}`)
  }
  const name = parameters.get('volume') ?? ''
  const path = parameters.get('target') ?? ''
  const volume = asACName(name)
  if (volume === undefined) throw new RktError('usage', `invalid volume name ${quote(name)} in --mount flag ${quote(text)}: expected ${acNameWanted}`)
  if (path === '' || path.includes('\0')) throw new RktError('usage', `cannot use --mount ${quote(text)}: no target; expected volume=NAME,target=PATH`)
  return { volume, path }
}
