import { quote } from '../../base/index.ts'
import type { ACIdentifier } from '../../spec/index.ts'
import { readGuardedDirectory, type GuardedFile, type Guarding } from '../guarded-directory.ts'
import type { ConfigDirs } from '../config-dirs.ts'
import { prefixChain } from '../scope.ts'
import { builtInPolicy, type Policy, type PolicyRule } from './policy.ts'
import { readPolicyFile, refusal } from './policy-file.ts'

/** The policies of all configuration directories. */
export interface Policies {
  /**
   * The policy for an image of this name.
   *
   * @throws RktError `invalid-config` naming a file that is not exactly a policy; then nothing may be used.
   */
  policyFor(name: ACIdentifier): Policy
  /** Every rule, least important directory first. */
  rules(): readonly PolicyRule[]
  /** Every policy file as it is now, in the order of directories and names. */
  files(): readonly PolicySource[]
}

/** A policy file, and whose directory it lies in. */
export interface PolicySource extends GuardedFile {
  readonly side: Side
}

const guarding: Guarding = { code: 'invalid-config', directory: 'policies', file: 'policy' }

type Side = 'system' | 'local' | 'user'

/** The policies below these directories; they are read anew by every call. */
export function openPolicies({ system, local, user }: ConfigDirs): Policies {
  const sides: readonly (readonly [Side, string])[] = [['system', system], ['local', local], ...(user === undefined ? [] : [['user', user] as const])]
  const files = (): readonly (readonly [Side, readonly GuardedFile[]])[] => sides.map(([side, directory]) => [side, policyFiles(`${directory}/policy.d`)])
  const rules = (): ReadonlyMap<Side, readonly PolicyRule[]> => new Map(files().map(([side, found]) => [side, readRules(found)]))
  return {
    policyFor: (name) => choose(rules(), name),
    rules: () => [...rules().values()].flat(),
    files: () => files().flatMap(([side, found]) => found.map((file) => ({ ...file, side }))),
  }
}

/** Anything but a plain file `*.json` is refused, so that a link or a directory cannot stand for a policy that nobody reads. */
function policyFiles(path: string): readonly GuardedFile[] {
  const { files, directories } = readGuardedDirectory(path, guarding)
  const [directory] = directories
  if (directory !== undefined) throw refusal(`${path}/${directory}`, 'a directory; expected a file')
  const stranger = files.find(({ name }) => !name.endsWith('.json'))
  if (stranger !== undefined) throw refusal(stranger.path, 'its name does not end in ".json"')
  return files
}

function readRules(files: readonly GuardedFile[]): readonly PolicyRule[] {
  const found = new Map<ACIdentifier | undefined, PolicyRule>()
  for (const rule of files.flatMap(readPolicyFile)) {
    const other = found.get(rule.prefix)
    if (other !== undefined) throw refusal(rule.path, `prefix ${quote(rule.prefix ?? '*')} is already specified in ${quote(other.path)}`)
    found.set(rule.prefix, rule)
  }
  return [...found.values()]
}

/**
 * The longest prefix decides; of equal ones the user's, then the local directory's. A lock of the system or local directory holds for
 * everything below its prefix, and there the user's directory has no say.
 */
function choose(rules: ReadonlyMap<Side, readonly PolicyRule[]>, name: ACIdentifier): Policy {
  const chain: readonly (ACIdentifier | undefined)[] = [undefined, ...prefixChain(name)]
  const covering = (sides: readonly Side[]): readonly PolicyRule[] =>
    chain.flatMap((prefix) => sides.flatMap((side) => rules.get(side)?.find((rule) => rule.prefix === prefix) ?? []))
  const administrators = covering(['system', 'local'])
  const lockedBy = administrators.find(({ locked }) => locked)?.path
  const rule = (lockedBy === undefined ? covering(['system', 'local', 'user']) : administrators).at(-1)
  if (rule === undefined) return builtInPolicy
  const { locked, ...policy } = rule
  return { ...policy, lockedBy: lockedBy ?? (locked ? rule.path : undefined) }
}
