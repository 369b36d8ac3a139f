import { limits, type Log } from '../../../base/index.ts'
import type { RawSignature } from '../../../spec/index.ts'

/** Signatures as they are found: never more than will be looked at, whoever adds to the list. */
export interface FoundSignatures {
  readonly list: readonly RawSignature[]
  readonly full: boolean
  add(signature: RawSignature): void
}

export function startFinding(log: Log): FoundSignatures {
  const list: RawSignature[] = []
  let bytes = 0
  return {
    list,
    get full() {
      return list.length >= limits.imageSignatures
    },
    add: (signature) => {
      const size = signature.form === 'cosign' ? signature.payload.byteLength : signature.bytes.byteLength
      const most = signature.form === 'bundle' || signature.form === 'cosign' ? limits.bundleBytes : limits.signatureBytes
      if (list.length >= limits.imageSignatures || size > most || (bytes + size) * 2 > limits.evidenceBytes) {
        log.debug('image', `passing over the signature at ${signature.place}: ${size} bytes, the ${list.length + 1}th`)
        return
      }
      bytes += size
      list.push(signature)
    },
  }
}
