import { quote, RktError } from '../../base/index.ts'

/** Texts by name, nested: all that files of `registries.d` are made of. */
export interface NestedTexts {
  readonly [name: string]: string | boolean | NestedTexts
}

interface Line {
  readonly indent: number
  readonly name: string
  readonly value: string | boolean | undefined
}

const maxLines = 10_000
const quotedText = `"(?:[^"\\\\\\x00-\\x1f]|\\\\["\\\\/])*"|'(?:[^'\\x00-\\x1f]|'')*'`
const plainText = `[A-Za-z0-9_./][^\\x00-\\x1f"'{}\\[\\]&*!|>%@\`#,]*?`
const linePattern = new RegExp(`^( *)(${quotedText}|${plainText}):(?: +(${quotedText}|${plainText}|\\{\\}))?(?: +#.*)?$`)

/**
 * Reads the part of YAML that files of `registries.d` use: names with texts or further names, told apart by how far they are indented,
 * comments, quoted texts. Everything else, and the same name twice, is refused, since readers would disagree about it.
 *
 * @throws RktError `invalid-config` with the line.
 */
export function readNestedTexts(text: string, path: string): NestedTexts {
  const lines = text.split(/\r?\n/)
  if (lines.length > maxLines) throw new RktError('limit-exceeded', `cannot use ${quote(path)}: more than ${maxLines} lines`)
  const root: Level = { indent: -1, children: undefined, names: Object.create(null) }
  const levels: Level[] = [root]
  for (const [index, raw] of lines.entries()) {
    if (/^\s*(?:#.*)?$/.test(raw) || (index === 0 && raw === '---')) continue
    const line = readLine(raw)
    if (line === undefined) throw refused(path, index, 'not "NAME: TEXT" or "NAME:"')
    while ((levels.at(-1)?.indent ?? -1) >= line.indent) levels.pop()
    const parent = levels.at(-1)
    if (parent?.names === undefined) throw refused(path, index, 'indented below a text')
    parent.children ??= line.indent
    if (parent.children !== line.indent) throw refused(path, index, 'indented differently from the lines of its group')
    if (Object.hasOwn(parent.names, line.name)) throw refused(path, index, `${quote(line.name)} for the second time`)
    const names: Record<string, NestedTexts[string]> | undefined = line.value === undefined ? Object.create(null) : undefined
    parent.names[line.name] = line.value ?? names ?? {}
    levels.push({ indent: line.indent, children: undefined, names })
  }
  return root.names ?? {}
}

interface Level {
  readonly indent: number
  children: number | undefined
  readonly names: Record<string, NestedTexts[string]> | undefined
}

function readLine(raw: string): Line | undefined {
  const match = linePattern.exec(raw.trimEnd())
  if (match === null) return undefined
  const [, indent = '', name = '', value] = match
  return { indent: indent.length, name: unquoted(name), value: value === undefined || value === '{}' ? undefined : value === 'true' || value === 'false' ? value === 'true' : unquoted(value) }
}

function unquoted(text: string): string {
  if (text.startsWith('"')) return text.slice(1, -1).replace(/\\(.)/g, '$1')
  return text.startsWith("'") ? text.slice(1, -1).replaceAll("''", "'") : text.trimEnd()
}

function refused(path: string, index: number, state: string): RktError {
  return new RktError('invalid-config', `cannot use ${quote(path)}: line ${index + 1} is ${state}`)
}
