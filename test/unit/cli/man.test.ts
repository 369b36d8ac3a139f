import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { root } from '../../../src/cli/table/commands.ts'
import type { Command } from '../../../src/cli/table/types.ts'
import { projectRoot } from '../../support/paths.ts'

const page = join(projectRoot, 'specs/man/rkt.1')

function sections(text: string): ReadonlyMap<string, string> {
  return new Map(text.split(/^\.S[hs] /m).map((part) => [part.split('\n')[0] ?? '', part]))
}

function verbs(command: Command, path: readonly string[]): readonly [string, Command][] {
  if (command.hidden === true) return []
  const own: readonly [string, Command][] = command.load === undefined ? [] : [[`rkt ${path.join(' ')}`, command]]
  return [...own, ...(command.commands ?? []).flatMap((child) => verbs(child, [...path, child.name]))]
}

test('the manual page has every command with just its flags', (t) => {
  const found = sections(readFileSync(page, 'utf8'))
  const flagsOf = (title: string): readonly string[] => [...(found.get(title) ?? '').matchAll(/^\.It Fl \\-(\S+)/gm)].map((match) => match[1] ?? '')
  const shown = (flags: Command['flags']): readonly string[] =>
    flags.filter((flag) => flag.hidden !== true && flag.unsupported !== true).map((flag) => flag.name).sort()
  const all = verbs(root, [])
  for (const [title, command] of all) t.deepEqual(flagsOf(title), shown(command.flags), title)
  t.deepEqual([...found.keys()].filter((title) => title.startsWith('rkt ')), all.map(([title]) => title))
  t.deepEqual(flagsOf('GLOBAL OPTIONS'), shown(root.flags))
  t.deepEqual(flagsOf('APP OPTIONS'), shown(root.commands?.find(({ name }) => name === 'run')?.appFlags ?? []))
})

test('mandoc finds nothing wrong with the manual page', (t) => {
  const { status, stdout, stderr } = spawnSync('mandoc', ['-T', 'lint', '-W', 'style', page], { encoding: 'utf8' })
  // Whether the pages that are referred to are installed here is not the page's fault.
  const faults = `${stdout}${stderr}`.split('\n').filter((line) => line !== '' && !/outdated mandoc\.db|referenced manual not found/.test(line))
  t.deepEqual(faults, [])
  t.not(status, null)
})
