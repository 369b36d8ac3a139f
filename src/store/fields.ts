import { RktError } from '../base/index.ts'

/** An object of a store's own JSON file, not yet looked into. */
export type Fields = Readonly<Record<string, unknown>>

/** @throws RktError `corrupted` unless `json` is an object; `what` names it. */
export function objectField(json: unknown, what: string): Fields {
  if (!isObject(json)) throw new RktError('corrupted', `expected "${what}" as an object`)
  return json
}

/** @throws RktError `corrupted` unless the field is a text. */
export function textField(fields: Fields, key: string): string {
  const value = fields[key]
  if (typeof value !== 'string') throw new RktError('corrupted', `expected "${key}" as a text`)
  return value
}

/** The text, or undefined when the field is absent. */
export function optionalText(fields: Fields, key: string): string | undefined {
  return fields[key] === undefined ? undefined : textField(fields, key)
}

/** @throws RktError `corrupted` unless the field is a whole number from 0 on. */
export function countField(fields: Fields, key: string): number {
  const value = fields[key]
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) throw new RktError('corrupted', `expected "${key}" as a count`)
  return value
}

function isObject(json: unknown): json is Fields {
  return typeof json === 'object' && json !== null && !Array.isArray(json)
}
