/** One line of an app's log: `TIME stdout|stderr F|P TEXT`, as Kubernetes writes logs too; the plain format has no tag. */
export interface LogLine {
  /** RFC 3339 with up to nine digits of a second. */
  readonly time: string
  readonly stream: 'stdout' | 'stderr'
  /** Whether the app has not ended the line here. */
  readonly partial: boolean
  readonly text: Uint8Array
}

const formats: { readonly cri: RegExp; readonly plain: RegExp } = {
  cri: /^(\d{4}-\S{1,36}) (stdout|stderr) ([FP])(?: |$)/,
  plain: /^(\d{4}-\S{1,36}) (stdout|stderr)(?: |$)/,
}

/** The parts of one line without its end, or undefined when it is none. */
export function parseLogLine(bytes: Uint8Array, format: keyof typeof formats = 'cri'): LogLine | undefined {
  const head = Buffer.from(bytes.subarray(0, 64)).toString('latin1')
  const [whole, time, stream, tag] = formats[format].exec(head) ?? []
  if (whole === undefined || time === undefined || (stream !== 'stdout' && stream !== 'stderr')) return undefined
  return { time, stream, partial: tag === 'P', text: bytes.subarray(whole.length) }
}

/** Orders times of lines, whatever the number of their digits. */
export function compareTimes(a: string, b: string): number {
  const difference = Date.parse(a) - Date.parse(b)
  if (difference !== 0) return difference
  const fraction = (time: string): string => (/\.(\d+)/.exec(time)?.[1] ?? '').padEnd(9, '0')
  return fraction(a) < fraction(b) ? -1 : fraction(a) > fraction(b) ? 1 : 0
}
