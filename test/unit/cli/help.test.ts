import test from 'ava'
import { helpText } from '../../../src/cli/help.ts'
import { findCommand } from '../../../src/cli/parse/parse.ts'
import { root } from '../../../src/cli/table/commands.ts'

function sections(text: string): readonly string[] {
  return [...text.matchAll(/^([A-Z ]+):$/gm)].map((match) => match[1] ?? '')
}

test('help of the program has its sections in order', (t) => {
  const text = helpText(root, [], root)
  t.deepEqual(sections(text), ['NAME', 'USAGE', 'VERSION', 'COMMANDS', 'DESCRIPTION', 'OPTIONS'])
  t.true(text.startsWith('NAME:\n\trkt - '))
})

test('help of a verb names its own and the global options', (t) => {
  const text = helpText(findCommand(root, 'run'), ['run'], root)
  t.deepEqual(sections(text), ['NAME', 'USAGE', 'DESCRIPTION', 'OPTIONS', 'GLOBAL OPTIONS'])
  t.regex(text, /^\t--net=default\t+\S/m)
  t.regex(text, /^\t--exec=PATH\t+\S/m)
  t.notRegex(text, /--cap-retain/)
})

test('every line of the tables splits on TAB into an empty cell, a name and a text', (t) => {
  const text = helpText(root, [], root)
  for (const line of text.split('\n').filter((line) => line.startsWith('\t--'))) {
    t.is(line.split(/\t+/).length, 3, line)
  }
})

test('hidden commands and flags are not shown', (t) => {
  const text = helpText(root, [], root)
  t.notRegex(text, /complete-words|cpuprofile/)
})
