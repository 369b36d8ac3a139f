import { parseImageID, RktError, type ImageID } from '../base/index.ts'

/** What the unpacker wrote, an object whose fields are read one by one: it has read an image, so nothing it says is taken as it is. */
export type UnpackerResult = Readonly<Record<string, unknown>>

/** @throws RktError `io` when the field is missing or of another form. */
export function textOf(result: UnpackerResult, name: string, pattern: RegExp): string {
  const value = result[name]
  if (typeof value !== 'string' || !pattern.test(value)) throw malformed(name)
  return value
}

/** @throws RktError `io` when the field is missing or no count. */
export function countOf(result: UnpackerResult, name: string): number {
  const value = result[name]
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) throw malformed(name)
  return value
}

/** The ID of the image that was read. @throws RktError `io`. */
export function imageIDOf(result: UnpackerResult): ImageID {
  return parseImageID(`sha512-${textOf(result, 'sha512', /^[0-9a-f]{128}$/)}`)
}

function malformed(name: string): RktError {
  return new RktError('io', `cannot unpack: the unpacker's result has no valid ${name}`)
}
