import { isRktError, parseStrictJson, quote, RktError } from '../../base/index.ts'
import { asACIdentifier, isolationLevels, signatureKinds, type ACIdentifier } from '../../spec/index.ts'
import type { GuardedFile } from '../guarded-directory.ts'
import { isJsonObject } from '../json-object.ts'
import { isSignerID } from '../signer-id.ts'
import { isVersion } from './compare-versions.ts'
import { builtInPolicy, type PolicyRule } from './policy.ts'

const known = ['prefixes', 'signers', 'threshold', 'kinds', 'isolation', 'maxAgeDays', 'minVersion', 'selfDeclaredNames', 'locked'] as const
const maxBytes = 65_536
const maxThreshold = 16

/**
 * Reads one file of `policy.d`: a rule for each of its prefixes.
 *
 * @throws RktError `invalid-config` or `invalid-json` naming the file, for everything that is not exactly a policy.
 */
export function readPolicyFile({ path, content }: GuardedFile): readonly PolicyRule[] {
  const fields = readFields(path, content)
  const { prefixes, ...rule } = parseRule({ path, fields })
  return prefixes.map((prefix) => ({ ...rule, prefix }))
}

interface Reading {
  readonly path: string
  readonly fields: Readonly<Record<string, unknown>>
}

function readFields(path: string, content: Uint8Array): Reading['fields'] {
  let json: unknown
  try {
    json = parseStrictJson(content, { what: `policy ${quote(path)}`, maxBytes, maxDepth: 4 })
  } catch (error) {
    throw isRktError(error) ? refusal(path, error.message.replace(/^cannot read policy "[^]*?": /, ''), error) : error
  }
  if (!isJsonObject(json)) throw refusal(path, 'not a JSON object')
  const { rktKind: kind, rktVersion: version, ...fields } = json
  if (kind !== 'policy') throw refusal(path, `rktKind is ${JSON.stringify(kind)}; expected "policy"`)
  if (version !== 'v1') throw refusal(path, `rktVersion is ${JSON.stringify(version)}; expected "v1"`)
  const stranger = Object.keys(fields).find((name) => !known.some((one) => one === name))
  if (stranger !== undefined) throw refusal(path, `unknown field ${quote(stranger)}; expected ${known.join(', ')}`)
  return fields
}

function parseRule(reading: Reading): Omit<PolicyRule, 'prefix'> & { readonly prefixes: readonly (ACIdentifier | undefined)[] } {
  const signers = optionalList(reading, 'signers')?.map((signer) => {
    if (!isSignerID(signer)) throw refusal(reading.path, `"signers" holds ${quote(signer)}; expected what "rkt trust list" prints`)
    return signer
  })
  const kinds = optionalList(reading, 'kinds')?.map((kind) => oneOf(reading, { name: 'kinds', value: kind, of: signatureKinds }))
  return {
    path: reading.path,
    prefixes: list(reading, 'prefixes').map((prefix) => readPrefix(reading.path, prefix)),
    signers,
    threshold: readThreshold(reading, signers),
    kinds,
    isolation: optionalOneOf(reading, 'isolation', isolationLevels),
    maxAgeDays: optionalNumber(reading, { name: 'maxAgeDays', most: 36_500 }),
    minVersion: readMinVersion(reading),
    selfDeclaredNames: optionalOneOf(reading, 'selfDeclaredNames', ['allow', 'refuse']) ?? builtInPolicy.selfDeclaredNames,
    locked: readLocked(reading),
  }
}

/** Without a number, every signer that is named must have signed. */
function readThreshold(reading: Reading, signers: readonly string[] | undefined): number {
  const threshold = optionalNumber(reading, { name: 'threshold', most: maxThreshold }) ?? signers?.length ?? builtInPolicy.threshold
  if (signers !== undefined && threshold > signers.length) {
    throw refusal(reading.path, `"threshold" is ${threshold}, but "signers" names ${signers.length}: nothing could ever fulfil it`)
  }
  return threshold
}

function readPrefix(path: string, text: string): ACIdentifier | undefined {
  if (text === '*') return undefined
  const prefix = asACIdentifier(text)
  if (prefix === undefined) throw refusal(path, `"prefixes" holds ${quote(text)}; expected a prefix of image names such as example.com/app, or "*"`)
  return prefix
}

function readMinVersion({ path, fields }: Reading): string | undefined {
  const value = fields['minVersion']
  if (value === undefined) return undefined
  if (typeof value !== 'string' || !isVersion(value)) throw refusal(path, `"minVersion" is ${JSON.stringify(value)}; expected a version such as "1.2.3"`)
  return value
}

function readLocked({ path, fields }: Reading): boolean {
  const value = fields['locked']
  if (value === undefined) return false
  if (typeof value !== 'boolean') throw refusal(path, '"locked" is neither true nor false')
  return value
}

function optionalNumber({ path, fields }: Reading, { name, most }: { readonly name: string; readonly most: number }): number | undefined {
  const value = fields[name]
  if (value === undefined) return undefined
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 1 || value > most) throw refusal(path, `"${name}" is not a whole number from 1 to ${most}`)
  return value
}

function optionalList(reading: Reading, name: string): readonly string[] | undefined {
  return reading.fields[name] === undefined ? undefined : list(reading, name)
}

/** A list of different texts with something in it. */
function list({ path, fields }: Reading, name: string): readonly string[] {
  const value = fields[name]
  if (!Array.isArray(value) || value.length === 0) throw refusal(path, `"${name}" is not a list with something in it`)
  const texts = value.map((one: unknown) => {
    if (typeof one !== 'string') throw refusal(path, `"${name}" holds something that is not a text`)
    return one
  })
  if (new Set(texts).size !== texts.length) throw refusal(path, `"${name}" holds the same twice`)
  return texts
}

function optionalOneOf<T extends string>(reading: Reading, name: string, of: readonly T[]): T | undefined {
  const value = reading.fields[name]
  return value === undefined ? undefined : oneOf(reading, { name, value, of })
}

function oneOf<T extends string>({ path }: Reading, { name, value, of }: { readonly name: string; readonly value: unknown; readonly of: readonly T[] }): T {
  const found = of.find((one) => one === value)
  if (found === undefined) throw refusal(path, `"${name}" says ${JSON.stringify(value)}; expected ${of.join(', ')}`)
  return found
}

/** The refusal of a file of `policy.d`: while it is there, no image may be used. */
export function refusal(path: string, state: string, cause?: unknown): RktError {
  return new RktError('invalid-config', `cannot use policy ${quote(path)}: ${state}`, {
    hint: `no image is used while a policy cannot be read; correct the file, or take it away: rm ${path}`,
    ...(cause === undefined ? {} : { cause }),
  })
}
