import { readFileSync } from 'node:fs'
import test from 'ava'
import { parseCommandLine } from '../../../src/cli/parse/parse.ts'
import { root } from '../../../src/cli/table/commands.ts'
import type { Command, Flag } from '../../../src/cli/table/types.ts'
import { rktVersion } from '../../../src/cli/version.ts'
import { yargsFor } from '../../../src/cli/yargs-table.ts'

interface Listed {
  readonly path: readonly string[]
  readonly command: Command
}

function verbs(command: Command, path: readonly string[]): readonly Listed[] {
  const own = command.load === undefined ? [] : [{ path, command }]
  return [...own, ...(command.commands ?? []).flatMap((child) => verbs(child, [...path, child.name]))]
}

const all = verbs(root, [])

function valueFor(flag: Flag): string {
  return { bool: 'true', text: 'some-text', list: 'a=b', int: '7', duration: '5s' }[flag.type]
}

/** What our parser reads of one flag, in the shape that yargs gives. */
function ours(words: readonly string[], flag: Flag, perApp: boolean): unknown {
  const request = parseCommandLine(words, root)
  if (request.kind !== 'run') return undefined
  const flags = perApp ? request.invocation.apps[0]?.flags : request.invocation.flags
  if (flags === undefined) return undefined
  if (flag.type === 'bool') return flags.bool(flag.name)
  return flag.type === 'list' ? flags.list(flag.name) : flags.text(flag.name)
}

for (const { path, command } of all) {
  test(`${path.join(' ')}: the parser and yargs read every flag alike`, async (t) => {
    const perApp = command.appFlags ?? []
    for (const flag of [...command.flags, ...perApp, ...root.flags]) {
      if (flag.unsupported === true || flag.name === 'help') continue
      const own = perApp.includes(flag)
      const subject = command.grammar === 'apps' ? ['image'] : []
      const forms = [[`--${flag.name}=${valueFor(flag)}`]]
      if (flag.type === 'bool') forms.push([`--${flag.name}`], [`--${flag.name}=false`])
      else if (flag.bare === undefined) forms.push([`--${flag.name}`, valueFor(flag)])
      if (flag.type === 'list') forms.push([`--${flag.name}=a`, `--${flag.name}=b`])
      for (const form of forms) {
        const theirs = await yargsFor(command, root).parse([...subject, ...form])
        t.deepEqual(ours([...path, ...subject, ...form], flag, own), theirs[flag.name], form.join(' '))
      }
    }
  })

  test(`${path.join(' ')}: the table's module is there`, async (t) => {
    const verb = await command.load?.()
    t.is(typeof verb?.run, 'function')
  })
}

test('a flag of one name takes a value in every command or in none', (t) => {
  const seen = new Map<string, boolean>()
  for (const { command } of all) {
    for (const flag of [...command.flags, ...(command.appFlags ?? []), ...root.flags]) {
      const takes = flag.type !== 'bool' && flag.bare === undefined
      t.is(seen.get(flag.name) ?? takes, takes, flag.name)
      seen.set(flag.name, takes)
    }
  }
})

test('no command has a flag twice', (t) => {
  for (const { path, command } of all) {
    const names = [...command.flags, ...(command.appFlags ?? []), ...root.flags].map((flag) => flag.name)
    t.deepEqual(names, [...new Set(names)], path.join(' '))
  }
})

test('every command has a summary, and none but hidden ones shares a whole name', (t) => {
  for (const { path, command } of all) t.true(command.summary.length > 0, path.join(' '))
  t.is(new Set(all.map(({ path }) => path.join(' '))).size, all.length)
})

test('the version is that of package.json', (t) => {
  const text = readFileSync(new URL('../../../../../package.json', import.meta.url), 'utf8')
  t.true(text.includes(`"version": "${rktVersion}"`))
})
