import { quote } from '../base/index.ts'
import { fault, type Decoder } from './decode.ts'
import {
  absolutePath,
  acName,
  checked,
  filledText,
  flag,
  integer,
  list,
  object,
  orElse,
  plainText,
  required,
  text,
  textAs,
  textMap,
  textWhere,
  uniqueList,
} from './decoders.ts'
import type { Isolator } from './isolator.ts'
import { isolators } from './isolators.ts'
import type { ACName } from './names.ts'
import { maxID } from './volume.ts'

export interface EnvironmentVariable {
  readonly name: string
  readonly value: string
}

/** A program that runs before the app starts, or after it has ended. */
export interface EventHandler {
  readonly name: 'pre-start' | 'post-stop'
  readonly exec: readonly string[]
}

/** Where an image expects a volume of the same name. */
export interface MountPoint {
  readonly name: ACName
  /** Path inside the image. */
  readonly path: string
  readonly readOnly: boolean
}

/** A port, or a range of `count` ports, on which an app listens. */
export interface Port {
  readonly name: ACName
  readonly protocol: string
  readonly port: number
  readonly count: number
  readonly socketActivated: boolean
}

/** How a program of an image runs; SPEC: appc 0.8.11 aci.md, `app`. */
export interface App {
  /** May be empty: then `--exec` must say what runs. */
  readonly exec: readonly string[]
  /** Name, number, or absolute path of a file of which the owner is meant. */
  readonly user: string
  readonly group: string
  readonly supplementaryGIDs: readonly number[]
  readonly eventHandlers: readonly EventHandler[]
  /** Absolute, or empty for `/`. */
  readonly workingDirectory: string
  readonly environment: readonly EnvironmentVariable[]
  readonly mountPoints: readonly MountPoint[]
  readonly ports: readonly Port[]
  readonly isolators: readonly Isolator[]
  readonly userAnnotations: Readonly<Record<string, string>>
  readonly userLabels: Readonly<Record<string, string>>
}

/** Group of an app that is the primary one of its user, with the user's other groups: a colon cannot be in the name of a group. */
export const primaryGroup = ':primary'

const environmentName = /^[A-Za-z_][A-Za-z_0-9.-]*$/

/** Whether `name` can name an environment variable of an app. */
export function isEnvironmentName(name: string): boolean {
  return environmentName.test(name)
}

const exec = list(plainText)

const environmentVariable: Decoder<EnvironmentVariable> = object({
  name: required(textWhere(isEnvironmentName, 'the name of an environment variable')),
  value: orElse(plainText, () => ''),
})

const eventHandler: Decoder<EventHandler> = object({
  name: required(textAs((value) => (value === 'pre-start' || value === 'post-stop' ? value : undefined), 'pre-start or post-stop')),
  exec: orElse(exec, () => []),
})

const mountPoint: Decoder<MountPoint> = object({ name: required(acName), path: required(filledText), readOnly: orElse(flag, () => false) })

/** A port; a count of 0 means 1, as in the original. */
export const port: Decoder<Port> = (at) => {
  const found = object({
    name: required(acName),
    protocol: orElse(text, () => ''),
    port: required(integer(1, 65535)),
    count: orElse(integer(0, 65535), () => 1),
    socketActivated: orElse(flag, () => false),
  })(at)
  if (found === undefined) return undefined
  if (found.port + found.count > 65536) return fault(at, 'end of port range must be in 1-65535 range')
  return { ...found, count: found.count === 0 ? 1 : found.count }
}

/** The `app` of an image, or of an app of a pod. */
export const app: Decoder<App> = object({
  exec: orElse(exec, () => []),
  eventHandlers: orElse(
    uniqueList(eventHandler, { key: (handler) => handler.name, problem: (name) => `Only one eventHandler of name ${quote(name)} allowed` }),
    () => [],
  ),
  user: required(filledText),
  group: required(filledText),
  supplementaryGIDs: orElse(list(integer(0, maxID)), () => []),
  workingDirectory: orElse(
    checked(plainText, (path, at) => {
      if (path !== '') absolutePath(at)
    }),
    () => '',
  ),
  environment: orElse(
    uniqueList(environmentVariable, { key: (variable) => variable.name, problem: (name) => `duplicate environment variable of name ${quote(name)}` }),
    () => [],
  ),
  mountPoints: orElse(
    uniqueList(mountPoint, { key: (point) => point.name, problem: (name) => `duplicate mount point name ${quote(name)}` }),
    () => [],
  ),
  ports: orElse(list(port), () => []),
  isolators: orElse(isolators, () => []),
  userAnnotations: orElse(textMap, () => ({})),
  userLabels: orElse(textMap, () => ({})),
})
