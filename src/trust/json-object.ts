import { isRktError, parseStrictJson, RktError, type StrictJsonOptions } from '../base/index.ts'

/** An object of strict JSON: its keys are its own. */
export type JsonObject = Readonly<Record<string, unknown>>

/** Whether a value of strict JSON is an object. */
export function isJsonObject(json: unknown): json is JsonObject {
  return typeof json === 'object' && json !== null && !Array.isArray(json)
}

/**
 * Strict JSON of a signature.
 *
 * @throws RktError `signature-invalid` for everything that it is not.
 */
export function parseSignatureJson(bytes: Uint8Array, options: StrictJsonOptions): unknown {
  try {
    return parseStrictJson(bytes, options)
  } catch (cause) {
    throw isRktError(cause) ? new RktError('signature-invalid', cause.message, { cause }) : cause
  }
}
