import { takeNone } from '../arguments.ts'
import { configurationJson } from '../config/configuration.ts'
import type { Context } from '../context.ts'
import { formatJson } from '../format.ts'
import type { Invocation } from '../parse/invocation.ts'

/** Prints what all configuration directories together say. */
export async function run(context: Context, invocation: Invocation): Promise<number> {
  takeNone(invocation)
  context.out(formatJson(configurationJson(context.config), { pretty: invocation.flags.bool('pretty-print') }))
  return 0
}
