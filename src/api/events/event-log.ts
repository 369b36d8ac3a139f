import { RktError } from '../../base/index.ts'
import { type EventFilter, type EventMessage, eventTypes, writeEvent, writeList } from '../messages/index.ts'

/** Events that are kept: for clients that read slowly, and those that ask for earlier ones. */
const keptEvents = 4096

/** Events in one message. */
const batchEvents = 256

/** The last events since the service began. Clients share it: each holds no more than its place in it. */
export class EventLog {
  readonly #events: EventMessage[] = []
  /** Number of the first event that is kept. */
  #first = 0
  #wake: (() => void)[] = []

  add(events: readonly EventMessage[]): void {
    for (const event of events) this.#events.push(event)
    const excess = this.#events.length - keptEvents
    if (excess > 0) {
      this.#events.splice(0, excess)
      this.#first += excess
    }
    const waiting = this.#wake
    this.#wake = []
    for (const wake of waiting) wake()
  }

  /**
   * Messages with events that satisfy the filter, until its end. Without `since_time`: those from now on.
   *
   * @throws RktError `limit-exceeded` when the client has fallen so far behind that events are lost; the signal's reason.
   */
  async *listen(filter: EventFilter, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    const end = filter.untilTime > 0 ? AbortSignal.timeout(Math.min(Math.max(filter.untilTime * 1000 - Date.now(), 0), 0x7fff_ffff)) : undefined
    const either = end === undefined ? signal : AbortSignal.any([signal, end])
    let next = filter.sinceTime > 0 ? this.#first : this.#first + this.#events.length
    yield new Uint8Array()
    for (;;) {
      if (next < this.#first) throw new RktError('limit-exceeded', `${this.#first - next} events were lost: they were not read in time`)
      const events = this.#events.slice(next - this.#first, next - this.#first + batchEvents)
      next += events.length
      const wanted = events.filter((event) => matchesEvent(event, filter))
      if (wanted.length > 0) yield writeList(wanted.map(writeEvent))
      if (events.length > 0) continue
      signal.throwIfAborted()
      if (end?.aborted === true) return
      await this.#change(either)
    }
  }

  async #change(signal: AbortSignal): Promise<void> {
    await new Promise<void>((resolve) => {
      const done = (): void => {
        signal.removeEventListener('abort', done)
        this.#wake = this.#wake.filter((wake) => wake !== done)
        resolve()
      }
      this.#wake.push(done)
      signal.addEventListener('abort', done, { once: true })
    })
  }
}

/** Whether an event satisfies every condition; times are whole seconds, of which the first counts and the last does not. */
export function matchesEvent(event: EventMessage, { types, ids, names, sinceTime, untilTime }: EventFilter): boolean {
  const time = Math.floor(event.timeMs / 1000)
  return (
    (types.length === 0 || types.includes(eventTypes[event.kind])) &&
    (ids.length === 0 || ids.includes(event.id)) &&
    (names.length === 0 || names.includes(event.from)) &&
    (sinceTime <= 0 || time >= sinceTime) &&
    (untilTime <= 0 || time < untilTime)
  )
}
