/** How far a long step has come; the command line draws it. */
export interface Progress {
  readonly phase: 'copy' | 'download' | 'verify' | 'unpack'
  readonly doneBytes: number
  /** Undefined when the other side did not say. */
  readonly totalBytes: number | undefined
}

export type OnProgress = (progress: Progress) => void
