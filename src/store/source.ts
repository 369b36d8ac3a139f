import { RktError } from '../base/index.ts'
import { countField, objectField, optionalText, textField } from './fields.ts'

/** Where an image came from; for a URL with what is needed to ask whether it is still the same. */
export type ImageSource =
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'url'; readonly url: string; readonly etag?: string; readonly maxAgeSeconds: number; readonly askedAtMs: number }

/** @throws RktError `corrupted`. */
export function parseSource(json: unknown): ImageSource {
  const fields = objectField(json, 'source')
  switch (fields['kind']) {
    case 'file':
      return { kind: 'file', path: textField(fields, 'path') }
    case 'url': {
      const etag = optionalText(fields, 'etag')
      return {
        kind: 'url',
        url: textField(fields, 'url'),
        ...(etag === undefined ? {} : { etag }),
        maxAgeSeconds: countField(fields, 'maxAgeSeconds'),
        askedAtMs: countField(fields, 'askedAtMs'),
      }
    }
    default:
      throw new RktError('corrupted', 'expected "source.kind" to be "file" or "url"')
  }
}
