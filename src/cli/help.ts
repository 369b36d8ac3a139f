import type { Command, Flag } from './table/types.ts'
import { tabulate } from './tabulate.ts'
import { rktVersion } from './version.ts'

/** The help of a command, in the sections of the original, separated by TAB. */
export function helpText(command: Command, path: readonly string[], root: Command): string {
  const isRoot = command === root
  const title = path.length === 0 ? root.name : path.join(' ')
  const sections: [string, string][] = [
    ['NAME', `\t${title} - ${command.summary}\n`],
    ['USAGE', `\t${[root.name, ...path, ...(isRoot ? [] : ['[flags]']), command.usage].join(' ').trim()}\n`],
  ]
  if (isRoot) sections.push(['VERSION', `\t${rktVersion}\n`])
  if (command.commands !== undefined) sections.push(['COMMANDS', commandRows(command)])
  if (command.description !== undefined) sections.push(['DESCRIPTION', command.description.split('\n').map((line) => `\t${line}\n`).join('')])
  const own = [...command.flags, ...(command.appFlags ?? [])].filter((flag) => flag.hidden !== true)
  if (own.length > 0) sections.push(['OPTIONS', flagRows(own)])
  if (!isRoot) sections.push(['GLOBAL OPTIONS', flagRows(root.flags.filter((flag) => flag.hidden !== true))])
  return sections.map(([name, body]) => `${name}:\n${body}`).join('\n')
}

function commandRows(command: Command): string {
  const visible = (command.commands ?? []).filter((child) => child.hidden !== true)
  return tabulate(visible.map((child) => ['', child.name, child.summary]))
}

function flagRows(flags: readonly Flag[]): string {
  const sorted = [...flags].sort((a, b) => (a.name < b.name ? -1 : 1))
  return tabulate(sorted.map((flag) => ['', `--${flag.name}=${defaultText(flag)}`, flag.help + (flag.unsupported === true ? ' (not supported by this version)' : '')]))
}

function defaultText(flag: Flag): string {
  if (flag.type === 'bool') return flag.default ?? 'false'
  if (flag.default !== undefined && flag.default !== '') return flag.default
  return flag.placeholder ?? "''"
}
