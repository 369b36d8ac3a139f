import yargs, { type Argv, type Options } from 'yargs'
import type { Command, Flag } from './table/types.ts'

/**
 * One command of the table as yargs commands and options, with the global flags: what completes words. Loaded only there: yargs costs
 * more time than a whole start of the program.
 */
export function yargsFor(command: Command, root: Command): Argv {
  const program = yargs([])
    .scriptName(command.name)
    .help(false)
    .version(false)
    .exitProcess(false)
    .parserConfiguration({
      'boolean-negation': false,
      'camel-case-expansion': false,
      'dot-notation': false,
      'parse-numbers': false,
      'parse-positional-numbers': false,
      'duplicate-arguments-array': true,
      'greedy-arrays': false,
      'short-option-groups': false,
      'populate--': true,
    })
  for (const child of command.commands ?? []) {
    if (child.hidden !== true) program.command(child.name, child.summary)
  }
  const flags = [...command.flags, ...(command.appFlags ?? []), ...root.flags]
  return addOptions(program, [...new Map(flags.map((flag) => [flag.name, flag])).values()])
}

function addOptions(parent: Argv, flags: readonly Flag[]): Argv {
  for (const flag of flags) {
    // With undefined as default an absent flag stays absent: defaults are the parser's matter.
    const common: Options = { describe: flag.help, hidden: flag.hidden === true, default: undefined }
    if (flag.type === 'bool') parent.option(flag.name, { ...common, boolean: true })
    else if (flag.type === 'list') parent.option(flag.name, { ...common, type: 'string', array: true })
    else parent.option(flag.name, { ...common, type: 'string', requiresArg: flag.bare === undefined })
  }
  return parent
}
