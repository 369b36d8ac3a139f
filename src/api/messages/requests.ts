import { RktError } from '../../base/index.ts'
import { numbersOf, readMessage, toBytes, toNumber, toText } from '../wire/index.ts'

export interface KeyValue {
  readonly key: string
  readonly value: string
}

export interface PodFilter {
  readonly ids: readonly string[]
  readonly states: readonly number[]
  readonly appNames: readonly string[]
  readonly imageIDs: readonly string[]
  readonly networkNames: readonly string[]
  readonly annotations: readonly KeyValue[]
  readonly cgroups: readonly string[]
  readonly podSubCgroups: readonly string[]
}

export interface ImageFilter {
  readonly ids: readonly string[]
  readonly prefixes: readonly string[]
  readonly baseNames: readonly string[]
  readonly keywords: readonly string[]
  readonly labels: readonly KeyValue[]
  /** Seconds since 1970; 0 when it is not set, here and below. */
  readonly importedAfter: number
  readonly importedBefore: number
  readonly annotations: readonly KeyValue[]
  readonly fullNames: readonly string[]
}

export interface EventFilter {
  readonly types: readonly number[]
  readonly ids: readonly string[]
  readonly names: readonly string[]
  readonly sinceTime: number
  readonly untilTime: number
}

export interface ListRequest<Filter> {
  readonly filters: readonly Filter[]
  readonly detail: boolean
}

export interface LogsRequest {
  readonly podID: string
  readonly appName: string
  readonly lines: number
  readonly follow: boolean
  readonly sinceTime: number
  readonly untilTime: number
}

/** ATTACK: filters are looked through for every pod and image. */
const maxFilters = 256

export function readListPods(bytes: Uint8Array): ListRequest<PodFilter> {
  return readList(bytes, readPodFilter)
}

export function readListImages(bytes: Uint8Array): ListRequest<ImageFilter> {
  return readList(bytes, readImageFilter)
}

/** The ID in a request that has nothing else. */
export function readInspect(bytes: Uint8Array): string {
  let id = ''
  readMessage(bytes, (field) => {
    if (field.number === 1) id = toText(field)
  })
  return id
}

export function readListenEvents(bytes: Uint8Array): EventFilter {
  let filter = readEventFilter(new Uint8Array())
  readMessage(bytes, (field) => {
    if (field.number === 1) filter = readEventFilter(toBytes(field))
  })
  return filter
}

export function readGetLogs(bytes: Uint8Array): LogsRequest {
  const request = { podID: '', appName: '', lines: 0, follow: false, sinceTime: 0, untilTime: 0 }
  readMessage(bytes, (field) => {
    if (field.number === 1) request.podID = toText(field)
    if (field.number === 2) request.appName = toText(field)
    if (field.number === 3) request.lines = toNumber(field)
    if (field.number === 4) request.follow = toNumber(field) !== 0
    if (field.number === 5) request.sinceTime = toNumber(field)
    if (field.number === 6) request.untilTime = toNumber(field)
  })
  return request
}

function readList<Filter>(bytes: Uint8Array, readFilter: (bytes: Uint8Array) => Filter): ListRequest<Filter> {
  const filters: Filter[] = []
  let detail = false
  readMessage(bytes, (field) => {
    if (field.number === 1) filters.push(readFilter(toBytes(field)))
    if (field.number === 2) detail = toNumber(field) !== 0
    if (filters.length > maxFilters) throw new RktError('limit-exceeded', `cannot use filters: more than ${maxFilters}`)
  })
  return { filters, detail }
}

function readPodFilter(bytes: Uint8Array): PodFilter {
  const filter = {
    ids: new Array<string>(),
    states: new Array<number>(),
    appNames: new Array<string>(),
    imageIDs: new Array<string>(),
    networkNames: new Array<string>(),
    annotations: new Array<KeyValue>(),
    cgroups: new Array<string>(),
    podSubCgroups: new Array<string>(),
  }
  readMessage(bytes, (field) => {
    if (field.number === 1) filter.ids.push(toText(field))
    if (field.number === 2) for (const state of numbersOf(field)) filter.states.push(state)
    if (field.number === 3) filter.appNames.push(toText(field))
    if (field.number === 4) filter.imageIDs.push(toText(field))
    if (field.number === 5) filter.networkNames.push(toText(field))
    if (field.number === 6) filter.annotations.push(readKeyValue(toBytes(field)))
    if (field.number === 7) filter.cgroups.push(toText(field))
    if (field.number === 8) filter.podSubCgroups.push(toText(field))
  })
  return filter
}

function readImageFilter(bytes: Uint8Array): ImageFilter {
  const filter = {
    ids: new Array<string>(),
    prefixes: new Array<string>(),
    baseNames: new Array<string>(),
    keywords: new Array<string>(),
    labels: new Array<KeyValue>(),
    importedAfter: 0,
    importedBefore: 0,
    annotations: new Array<KeyValue>(),
    fullNames: new Array<string>(),
  }
  readMessage(bytes, (field) => {
    if (field.number === 1) filter.ids.push(toText(field))
    if (field.number === 2) filter.prefixes.push(toText(field))
    if (field.number === 3) filter.baseNames.push(toText(field))
    if (field.number === 4) filter.keywords.push(toText(field))
    if (field.number === 5) filter.labels.push(readKeyValue(toBytes(field)))
    if (field.number === 6) filter.importedAfter = toNumber(field)
    if (field.number === 7) filter.importedBefore = toNumber(field)
    if (field.number === 8) filter.annotations.push(readKeyValue(toBytes(field)))
    if (field.number === 9) filter.fullNames.push(toText(field))
  })
  return filter
}

function readEventFilter(bytes: Uint8Array): EventFilter {
  const filter = { types: new Array<number>(), ids: new Array<string>(), names: new Array<string>(), sinceTime: 0, untilTime: 0 }
  readMessage(bytes, (field) => {
    if (field.number === 1) for (const type of numbersOf(field)) filter.types.push(type)
    if (field.number === 2) filter.ids.push(toText(field))
    if (field.number === 3) filter.names.push(toText(field))
    if (field.number === 4) filter.sinceTime = toNumber(field)
    if (field.number === 5) filter.untilTime = toNumber(field)
  })
  return filter
}

function readKeyValue(bytes: Uint8Array): KeyValue {
  const pair = { key: '', value: '' }
  readMessage(bytes, (field) => {
    if (field.number === 1) pair.key = toText(field)
    if (field.number === 2) pair.value = toText(field)
  })
  return pair
}
