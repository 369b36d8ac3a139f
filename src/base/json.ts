import { RktError } from './errors.ts'
import { limits } from './limits.ts'

export interface StrictJsonOptions {
  /** What is being read, for messages: `image manifest`, or a quoted path. */
  readonly what: string
  readonly maxBytes?: number
  readonly maxDepth?: number
}

/**
 * Parses JSON that decides something: UTF-8 without errors, no byte order mark, no duplicate key, no `__proto__`, bounded size and
 * depth, nothing after the value. Objects have no prototype surprises: keys are own properties only.
 *
 * @throws RktError `invalid-json` with the offset, or `limit-exceeded`.
 */
export function parseStrictJson(bytes: Uint8Array, options: StrictJsonOptions): unknown {
  const maxBytes = options.maxBytes ?? limits.jsonBytes
  if (bytes.byteLength > maxBytes) {
    throw new RktError('limit-exceeded', `cannot read ${options.what}: ${bytes.byteLength} bytes; expected at most ${maxBytes}`)
  }
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch (cause) {
    throw new RktError('invalid-json', `cannot read ${options.what}: not valid UTF-8`, { cause })
  }
  checkShape(text, options.what, options.maxDepth ?? limits.jsonDepth)
  try {
    return JSON.parse(text) as unknown
  } catch (cause) {
    throw new RktError('invalid-json', `cannot read ${options.what}: ${cause instanceof Error ? cause.message : 'not JSON'}`, { cause })
  }
}

/**
 * One forward pass that refuses what `JSON.parse` silently accepts (duplicate keys, `__proto__`) and bounds the depth before the
 * recursive parser sees it. Grammar errors are left to `JSON.parse`.
 */
function checkShape(text: string, what: string, maxDepth: number): void {
  const stack: (Set<string> | undefined)[] = []
  let expectKey = false
  let at = 0
  while (at < text.length) {
    const char = text[at]
    if (char === '"') {
      const end = endOfString(text, at, what)
      if (expectKey) {
        addKey(stack.at(-1), text.slice(at, end), what, at)
        expectKey = false
      }
      at = end
      continue
    }
    if (char === '{' || char === '[') {
      if (stack.length >= maxDepth) throw new RktError('limit-exceeded', `cannot read ${what}: nested deeper than ${maxDepth}`)
      stack.push(char === '{' ? new Set() : undefined)
      expectKey = char === '{'
    } else if (char === '}' || char === ']') {
      stack.pop()
      expectKey = false
    } else if (char === ',') {
      expectKey = stack.at(-1) !== undefined
    }
    at += 1
  }
}

function endOfString(text: string, start: number, what: string): number {
  let at = start + 1
  while (at < text.length) {
    const code = text.charCodeAt(at)
    if (code === 0x22) return at + 1
    at += code === 0x5c ? 2 : 1
  }
  throw new RktError('invalid-json', `cannot read ${what}: string without end at offset ${start}`)
}

function addKey(keys: Set<string> | undefined, quoted: string, what: string, offset: number): void {
  let key: unknown
  try {
    key = JSON.parse(quoted)
  } catch (cause) {
    throw new RktError('invalid-json', `cannot read ${what}: bad string at offset ${offset}`, { cause })
  }
  if (keys === undefined || typeof key !== 'string') return
  if (key === '__proto__') throw new RktError('invalid-json', `cannot read ${what}: key "__proto__" at offset ${offset}`)
  if (keys.has(key)) throw new RktError('invalid-json', `cannot read ${what}: duplicate key ${quoted} at offset ${offset}`)
  keys.add(key)
}
