import { RktError } from '../base/index.ts'

type Signal = 'SIGINT' | 'SIGTERM'

/** SIGINT and SIGTERM as an `AbortSignal`, as long as we are the process that they are meant for. */
export interface Interrupt {
  readonly signal: AbortSignal
  /**
   * Gives both signals their default action back: to be called just before this process is replaced by a pod.
   *
   * @throws RktError `cancelled` when one has arrived already.
   */
  release(): void
  /** The signal that arrived first. */
  received(): Signal | undefined
}

/** Listens for both signals; the first one aborts, the second ends the process at once. */
export function listenForInterrupt(): Interrupt {
  const controller = new AbortController()
  let first: Signal | undefined
  const stop = (): void => {
    process.removeListener('SIGINT', listen)
    process.removeListener('SIGTERM', listen)
  }
  const listen = (signal: Signal): void => {
    first ??= signal
    stop()
    controller.abort(new RktError('cancelled', `interrupted by ${signal}`))
  }
  process.on('SIGINT', listen)
  process.on('SIGTERM', listen)
  return {
    signal: controller.signal,
    release: () => {
      stop()
      controller.signal.throwIfAborted()
    },
    received: () => first,
  }
}
