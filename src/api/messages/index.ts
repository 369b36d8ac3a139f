export { appStates, type EventKind, eventTypes, imageTypes, podStates } from './enums.ts'
export {
  type EventFilter,
  type ImageFilter,
  type KeyValue,
  type ListRequest,
  type LogsRequest,
  type PodFilter,
  readGetLogs,
  readInspect,
  readListenEvents,
  readListImages,
  readListPods,
} from './requests.ts'
export {
  type AppMessage,
  type EventMessage,
  type ImageMessage,
  type InfoMessage,
  type PodMessage,
  writeEvent,
  writeImage,
  writeInfo,
  writeLines,
  writeList,
  writePod,
} from './responses.ts'
