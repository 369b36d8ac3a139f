import type { Context } from '../context.ts'
import type { Invocation } from '../parse/invocation.ts'
import type { Command } from '../table/types.ts'
import { yargsFor } from '../yargs-table.ts'

/** Prints the commands and flags that may stand in place of the last word, one a line. */
export async function run(context: Context, { root, words }: Invocation): Promise<number> {
  const last = words.at(-1) ?? ''
  const command = commandOf(words.slice(0, -1), root)
  const found = await yargsFor(command, root).getCompletion([last])
  // Where the caller's shell is zsh, yargs adds `:description`, whichever shell asks.
  const names = found.map((line) => line.replace(/:.*$/s, '')).filter((name) => name.startsWith(last))
  if (names.length > 0) context.out(names.sort().join('\n'))
  return 0
}

/** The command that the words before the last one have come to; what is not a command is passed over. */
function commandOf(words: readonly string[], root: Command): Command {
  let command = root
  for (const word of words) {
    const matches = (command.commands ?? []).filter((child) => child.name === word || (child.hidden !== true && child.name.startsWith(word)))
    command = matches.find((child) => child.name === word) ?? (matches.length === 1 ? matches[0] : undefined) ?? command
  }
  return command
}
