export type { EventLog } from './event-log.ts'
export { watchEvents, type WatchOptions } from './watch.ts'
