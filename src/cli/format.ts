import { RktError } from '../base/index.ts'

export type Format = 'table' | 'json' | 'json-pretty'

/** @throws RktError `usage` for a format that does not exist. */
export function parseFormat(text: string | undefined): Format {
  if (text === undefined || text === '') return 'table'
  if (text === 'json' || text === 'json-pretty') return text
  throw new RktError('usage', `Invalid format option: ${text}`)
}

/** JSON on one line, or indented with TAB. */
export function formatJson(value: unknown, options: { readonly pretty: boolean }): string {
  return JSON.stringify(value, undefined, options.pretty ? '\t' : undefined)
}
