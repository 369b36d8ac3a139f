import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { projectRoot } from './paths.ts'

export interface Import {
  /** Relative to the checkout, as in `src/base/index.ts`. */
  readonly target: string
  readonly kind: 'value' | 'type' | 'lazy'
}

export interface Source {
  readonly path: string
  readonly text: string
  /** Of files of the project only. */
  readonly imports: readonly Import[]
}

/** The files below a directory of the checkout that end in one of the endings. */
export function sourcesBelow(directory: string, endings: readonly string[]): readonly Source[] {
  return readdirSync(join(projectRoot, directory), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && endings.some((ending) => entry.name.endsWith(ending)))
    .map((entry) => readSource(join(entry.parentPath, entry.name)))
    .toSorted((a, b) => (a.path < b.path ? -1 : 1))
}

function readSource(file: string): Source {
  const text = readFileSync(file, 'utf8')
  const path = relative(projectRoot, file)
  return { path, text, imports: file.endsWith('.ts') ? importsOf(path, text) : [] }
}

function importsOf(path: string, text: string): readonly Import[] {
  const found: Import[] = []
  const add = (specifier: string | undefined, kind: Import['kind']): void => {
    if (specifier?.startsWith('.') === true) found.push({ target: join(dirname(path), specifier), kind })
  }
  for (const match of text.matchAll(/^(?:import|export)\s+(type\s+)?(?:[\w*{][^'"]*?\s+from\s+)?'([^']+)'/gm)) {
    add(match[2], match[1] === undefined && !onlyTypes(match[0]) ? 'value' : 'type')
  }
  for (const match of text.matchAll(/\bimport\('([^']+)'\)/g)) add(match[1], 'lazy')
  return found
}

/** Whether each name between the braces is marked `type`. */
function onlyTypes(statement: string): boolean {
  const names = /\{([^}]*)\}/.exec(statement)?.[1]?.split(',').map((name) => name.trim()).filter((name) => name !== '')
  return names !== undefined && names.length > 0 && names.every((name) => name.startsWith('type '))
}
