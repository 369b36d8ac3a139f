import type { Context } from '../context.ts'
import { helpText } from '../help.ts'
import type { Invocation } from '../parse/invocation.ts'
import { findCommand } from '../parse/parse.ts'

/** Prints the help of the command that the words name, or of the program. */
export async function run(context: Context, { root, words }: Invocation): Promise<number> {
  let command = root
  const path: string[] = []
  for (const word of words) {
    command = findCommand(command, word)
    path.push(command.name)
  }
  context.out(helpText(command, path, root))
  return 0
}
