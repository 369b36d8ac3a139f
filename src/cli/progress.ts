import { binding, print } from '../base/index.ts'
import type { OnProgress, Progress } from '../fetch/index.ts'
import { humanSize } from './sizes.ts'

/** At most one line is drawn in this time. */
const intervalMs = 100

export interface ProgressBar extends Disposable {
  readonly onProgress: OnProgress
}

/** One line on standard error that shows how far a long step is; draws nothing unless that is a terminal. */
export function progressBar(options: { readonly columns: string | undefined; readonly now: () => number }): ProgressBar {
  if (!binding().isTerminal(2)) return { onProgress: () => undefined, [Symbol.dispose]: () => undefined }
  const width = Math.min(Number(options.columns ?? '') || 80, 120) - 1
  let drawnAt = 0
  let drawn = false
  return {
    onProgress: (progress) => {
      if (options.now() - drawnAt < intervalMs) return
      drawnAt = options.now()
      drawn = true
      print(2, `\r\u001b[K${progressLine(progress, width)}`)
    },
    [Symbol.dispose]: () => {
      if (drawn) print(2, '\r\u001b[K')
    },
  }
}

/** `download [=====>     ] 12MiB/24MiB`, not wider than `width`. */
export function progressLine({ phase, doneBytes, totalBytes }: Progress, width: number): string {
  const size = totalBytes === undefined ? humanSize(doneBytes) : `${humanSize(doneBytes)}/${humanSize(totalBytes)}`
  const room = Math.min(width - phase.length - size.length - 4, 40)
  if (totalBytes === undefined || totalBytes === 0 || room < 4) return `${phase} ${size}`.slice(0, Math.max(width, 0))
  const filled = Math.min(Math.floor((doneBytes / totalBytes) * room), room)
  const bar = filled === room ? '='.repeat(room) : `${'='.repeat(Math.max(filled, 1) - 1)}>`.padEnd(room)
  return `${phase} [${bar}] ${size}`
}
