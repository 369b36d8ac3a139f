import { MessageWriter } from '../wire/index.ts'
import { type EventKind, eventTypes } from './enums.ts'
import type { KeyValue } from './requests.ts'

export interface InfoMessage {
  readonly rktVersion: string
  readonly appcVersion: string
  readonly apiVersion: string
  readonly flags: {
    readonly dir: string
    readonly systemConfigDir: string
    readonly localConfigDir: string
    readonly userConfigDir: string
    readonly insecureFlags: string
    readonly trustKeysFromHttps: boolean
  }
}

export interface ImageMessage {
  readonly type: number
  /** Version of the image format. */
  readonly formatVersion: string
  readonly id: string
  readonly name?: string
  readonly version?: string
  readonly importedAtMs?: number
  readonly manifest?: Uint8Array
  readonly sizeBytes?: number
  readonly annotations?: readonly KeyValue[]
  readonly labels?: readonly KeyValue[]
}

export interface AppMessage {
  readonly name: string
  readonly image: ImageMessage
  readonly state: number
  readonly exitCode: number
  readonly annotations: readonly KeyValue[]
}

export interface PodMessage {
  readonly id: string
  readonly pid: number
  readonly state: number
  readonly apps: readonly AppMessage[]
  readonly networks: readonly { readonly name: string; readonly ipv4: string; readonly ipv6: string }[]
  readonly manifest: Uint8Array | undefined
  readonly annotations: readonly KeyValue[]
  readonly cgroup: string
  /** Milliseconds since 1970. */
  readonly createdAtMs: number | undefined
  readonly startedAtMs: number | undefined
  readonly gcMarkedAtMs: number | undefined
}

export interface EventMessage {
  readonly kind: EventKind
  readonly id: string
  readonly from: string
  readonly timeMs: number
  readonly data: readonly KeyValue[]
}

export function writeInfo({ rktVersion, appcVersion, apiVersion, flags }: InfoMessage): MessageWriter {
  const globalFlags = new MessageWriter()
    .text(1, flags.dir)
    .text(2, flags.systemConfigDir)
    .text(3, flags.localConfigDir)
    .text(4, flags.userConfigDir)
    .text(5, flags.insecureFlags)
    .integer(6, flags.trustKeysFromHttps)
  return new MessageWriter().text(1, rktVersion).text(2, appcVersion).text(3, apiVersion).message(4, globalFlags)
}

export function writePod(pod: PodMessage): MessageWriter {
  return new MessageWriter()
    .text(1, pod.id)
    .signed(2, pod.pid)
    .integer(3, pod.state)
    .messages(4, pod.apps.map(writeApp))
    .messages(5, pod.networks.map(({ name, ipv4, ipv6 }) => new MessageWriter().text(1, name).text(2, ipv4).text(3, ipv6)))
    .bytes(6, pod.manifest)
    .messages(7, pod.annotations.map(writeKeyValue))
    .text(8, pod.cgroup)
    .integer(9, nanoseconds(pod.createdAtMs))
    .integer(10, nanoseconds(pod.startedAtMs))
    .integer(11, nanoseconds(pod.gcMarkedAtMs))
}

export function writeImage(image: ImageMessage): MessageWriter {
  return new MessageWriter()
    .message(1, new MessageWriter().integer(1, image.type).text(2, image.formatVersion))
    .text(2, image.id)
    .text(3, image.name)
    .text(4, image.version)
    .integer(5, seconds(image.importedAtMs ?? 0))
    .bytes(6, image.manifest)
    .integer(7, image.sizeBytes ?? 0)
    .messages(8, (image.annotations ?? []).map(writeKeyValue))
    .messages(9, (image.labels ?? []).map(writeKeyValue))
}

export function writeEvent({ kind, id, from, timeMs, data }: EventMessage): MessageWriter {
  return new MessageWriter().integer(1, eventTypes[kind]).text(2, id).text(3, from).integer(4, seconds(timeMs)).messages(5, data.map(writeKeyValue))
}

/** A response that is one list of messages. */
export function writeList(items: readonly MessageWriter[]): Uint8Array {
  return new MessageWriter().messages(1, items).finish()
}

export function writeLines(lines: readonly string[]): Uint8Array {
  return new MessageWriter().texts(1, lines).finish()
}

function writeApp({ name, image, state, exitCode, annotations }: AppMessage): MessageWriter {
  return new MessageWriter().text(1, name).message(2, writeImage(image)).integer(3, state).signed(4, exitCode).messages(5, annotations.map(writeKeyValue))
}

function writeKeyValue({ key, value }: KeyValue): MessageWriter {
  return new MessageWriter().text(1, key).text(2, value)
}

function seconds(timeMs: number): number {
  return Math.floor(timeMs / 1000)
}

/** To the microsecond, which is what a number keeps of a time. */
function nanoseconds(timeMs: number | undefined): bigint {
  return timeMs === undefined ? 0n : BigInt(Math.round(timeMs * 1000)) * 1000n
}
