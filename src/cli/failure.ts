import { errorText, isRktError, quote } from '../base/index.ts'

/** Exit status of rkt's own failures. */
export const failureStatus = 254

/**
 * The lines that tell of a failure, without the command's prefix: message and hint, or with `debug` the whole chain of causes as an
 * indented tree.
 */
export function failureLines(error: unknown, options: { readonly debug: boolean }): readonly string[] {
  const hint = isRktError(error) && error.hint !== undefined ? [`hint: ${printable(error.hint)}`] : []
  if (!options.debug) return [printable(shortMessage(error)), ...hint]
  return [...chain(error).map((cause, depth) => `${depth === 0 ? '' : `${'  '.repeat(depth - 1)}└─`}${printable(text(cause))}`), ...hint]
}

/** Our messages tell the state after a colon; where one does not, what the system said is added. */
function shortMessage(error: unknown): string {
  if (isSystemError(error)) return systemText(error)
  const message = text(error)
  const innermost = chain(error).at(-1)
  return innermost === error || !isSystemError(innermost) || message.includes(': ') ? message : `${message}: ${innermost.message}`
}

function isSystemError(error: unknown): error is Error & { readonly code: string } {
  return error instanceof Error && !isRktError(error) && 'code' in error && typeof error.code === 'string'
}

/** The error and its causes, outermost first. */
function chain(error: unknown): readonly unknown[] {
  const found: unknown[] = []
  for (let at = error; at !== undefined && found.length < 16; at = at instanceof Error ? at.cause : undefined) found.push(at)
  return found
}

function text(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if (isRktError(error) || isSystemError(error)) return error.message
  return `internal error: ${error.message}`
}

/** What Node says of a system call in the words of our own messages: `cannot open "/path": EROFS: read-only file system`. */
function systemText(error: Error & { readonly code: string }): string {
  const { syscall, path } = { syscall: undefined, path: undefined, ...error }
  if (typeof syscall !== 'string' || !/^[a-z]+$/.test(syscall)) return error.message
  return `cannot ${syscall}${typeof path === 'string' ? ` ${quote(path)}` : ''}: ${errorText(error)}`
}

/** No control character of a message reaches the terminal, but for line ends and tabs of our own layout. */
function printable(message: string): string {
  return message.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (char) =>
    char === '\n' || char === '\t' ? char : `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`,
  )
}
