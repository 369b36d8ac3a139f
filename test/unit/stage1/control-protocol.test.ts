import { readFileSync } from 'node:fs'
import test from 'ava'

const header = readFileSync('stage1/message.h', 'utf8')
const spec = readFileSync('specs/control-protocol.md', 'utf8')

test('specs/control-protocol.md has the kinds of the launcher with their numbers, and its version', (t) => {
  const body = /enum message_kind \{([^}]*)\}/.exec(header)?.[1] ?? ''
  const kinds = [...body.matchAll(/^ {2}MESSAGE_([A-Z_]+)(?: = 1)?,/gm)].map((match, index) => [String(index + 1), match[1]])
  const rows = [...spec.matchAll(/^\| (\d+) \| ([A-Z_]+) \|/gm)].map((match) => [match[1], match[2]])
  t.true(kinds.length >= 20)
  t.deepEqual(rows, kinds)
  const version = /CONTROL_VERSION = (\d+)/.exec(header)?.[1] ?? ''
  t.true(spec.includes(`Version **${version}**`))
})

test('specs/control-protocol.md has the fields of a record in their order', (t) => {
  const body = /struct message \{([^}]*)\}/.exec(header)?.[1] ?? ''
  const fields = [...body.matchAll(/^ {2}(?:u?int32_t|struct fail|char) ([a-z, ]+)(?:\[[A-Z_]+\])?;/gm)].map((match) => match[1])
  const rows = [...(spec.split('## Record')[1]?.split('## Kinds')[0] ?? '').matchAll(/^\| ([a-z, ]+) \| (?:u32|i32|1024)/gm)].map((match) => match[1])
  t.deepEqual(rows, fields)
})
