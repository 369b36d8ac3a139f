import { quote, RktError } from '../base/index.ts'
import { type Annotation, parseACIdentifier, type RuntimeApp, valueOf } from '../spec/index.ts'

const inputModes = ['null', 'stream', 'tty', 'interactive'] as const
const outputModes = ['null', 'log', 'stream', 'tty', 'interactive'] as const

export type InputMode = (typeof inputModes)[number]
export type OutputMode = (typeof outputModes)[number]

/** How the standard streams of an app are connected; `stream` and `tty` are there for those who attach. */
export interface StreamModes {
  readonly stdin: InputMode
  readonly stdout: OutputMode
  readonly stderr: OutputMode
}

/** Annotations of an app in the pod manifest; an image has no say in this. */
const annotationOf = (stream: keyof StreamModes): string => `coreos.com/rkt/stage2/${stream}`

/**
 * The modes that the pod manifest gives an app.
 *
 * @throws RktError `invalid-manifest` for a mode that nobody knows.
 */
export function streamModes(app: RuntimeApp): StreamModes {
  const read = <T extends string>(stream: keyof StreamModes, known: readonly T[], usual: T): T => {
    const text = valueOf(app.annotations, annotationOf(stream)) ?? usual
    const mode = known.find((candidate) => candidate === text)
    if (mode === undefined) throw new RktError('invalid-manifest', `invalid ${stream} mode ${quote(text)}`, { hint: `expected ${known.join(', ')}` })
    return mode
  }
  return { stdin: read('stdin', inputModes, 'null'), stdout: read('stdout', outputModes, 'log'), stderr: read('stderr', outputModes, 'log') }
}

/**
 * The annotation that gives a stream its mode.
 *
 * @throws RktError `usage` with the original's text.
 */
export function streamAnnotation(stream: keyof StreamModes, mode: string): Annotation {
  const known: readonly string[] = stream === 'stdin' ? inputModes : outputModes
  if (!known.includes(mode) || mode === 'interactive') throw new RktError('usage', `invalid ${stream} mode ${quote(mode)}`)
  return { name: parseACIdentifier(annotationOf(stream)), value: mode }
}
