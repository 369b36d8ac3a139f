import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { errorText, quote, RktError } from '../base/index.ts'
import type { World } from './context.ts'
import type { Invocation } from './parse/invocation.ts'

/** @throws RktError `usage` when a verb that takes no arguments got some. */
export function takeNone(invocation: Invocation): void {
  if (invocation.words.length > 0) throw usage(invocation, `unexpected argument ${quote(invocation.words[0] ?? '')}`)
}

/** @throws RktError `usage` unless there is exactly one argument. */
export function takeOne(invocation: Invocation, what: string): string {
  const [only, second] = invocation.words
  if (only === undefined) throw usage(invocation, `must provide one ${what}`)
  if (second !== undefined) throw usage(invocation, `unexpected argument ${quote(second)}`)
  return only
}

/** @throws RktError `usage` unless there are exactly two arguments. */
export function takeTwo(invocation: Invocation, what: readonly [string, string]): readonly [string, string] {
  const [first, second, third] = invocation.words
  if (first === undefined) throw usage(invocation, `must provide one ${what[0]}`)
  if (second === undefined) throw usage(invocation, `must provide one ${what[1]}`)
  if (third !== undefined) throw usage(invocation, `unexpected argument ${quote(third)}`)
  return [first, second]
}

/** @throws RktError `usage` when there is none. */
export function takeSome(invocation: Invocation, what: string): readonly string[] {
  if (invocation.words.length === 0) throw usage(invocation, `must provide at least one ${what}`)
  return invocation.words
}

/** The UUID in the file of `--uuid-file`, when that was given. */
export function uuidFromFile(world: World, invocation: Invocation, options: { readonly exitStatus?: number } = {}): string | undefined {
  const path = invocation.flags.text('uuid-file')
  if (path === undefined) return undefined
  try {
    return readFileSync(resolve(world.cwd, path), 'utf8').trim()
  } catch (cause) {
    throw new RktError('io', `unable to resolve UUID from file: cannot read ${quote(path)}: ${errorText(cause)}`, { cause, ...options })
  }
}

/** A usage error that shows the right line. */
export function usage(invocation: Invocation, message: string): RktError {
  const { root, path, command } = invocation
  return new RktError('usage', message, { hint: `usage: ${[root.name, ...path, command.usage].join(' ').trim()}` })
}
