/** Annotation of an image: the signal that asks its app to end, by name or, for a real-time signal, by number. */
export const stopSignalAnnotation = 'appc.io/executor/stop-signal'

/** SPEC: signal(7), the numbers of x86, ARM and most others, from 1 on. */
const names: readonly string[] = [
  ...['HUP', 'INT', 'QUIT', 'ILL', 'TRAP', 'ABRT', 'BUS', 'FPE', 'KILL', 'USR1', 'SEGV', 'USR2', 'PIPE', 'ALRM', 'TERM', 'STKFLT'],
  ...['CHLD', 'CONT', 'STOP', 'TSTP', 'TTIN', 'TTOU', 'URG', 'XCPU', 'XFSZ', 'VTALRM', 'PROF', 'WINCH', 'IO', 'PWR', 'SYS'],
]

/** Real-time signals, less the two that the C library keeps for itself. */
const realTime = { first: 34, last: 64 }

/** The number of `SIGINT`, `INT`, `2`, `SIGRTMIN+3` or `RTMAX-1`; undefined for what Linux does not know. */
export function signalNumber(text: string): number | undefined {
  const word = text.toUpperCase().replace(/^SIG/, '')
  const named = names.indexOf(word)
  if (named >= 0) return named + 1
  if (/^[0-9]{1,2}$/.test(text)) return Number(text) >= 1 && Number(text) <= names.length ? Number(text) : inRange(Number(text))
  const [, base, sign, offset = '0'] = /^(RTMIN|RTMAX)(?:([+-])([0-9]{1,2}))?$/.exec(word) ?? []
  if (base === 'RTMIN' && sign !== '-') return inRange(realTime.first + Number(offset))
  return base === 'RTMAX' && sign !== '+' ? inRange(realTime.last - Number(offset)) : undefined
}

/** A signal as the annotation says it. */
export function signalText(number: number): string {
  const name = names[number - 1]
  return name === undefined ? String(number) : `SIG${name}`
}

function inRange(number: number): number | undefined {
  return number >= realTime.first && number <= realTime.last ? number : undefined
}
