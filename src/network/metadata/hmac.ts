import { createHmac } from 'node:crypto'
import type { PodUUID } from '../../base/index.ts'
import { isSame } from './registry.ts'

/** Length of the key, which lives as long as the service. */
export const keyBytes = 64

export interface Claim {
  readonly uuid: PodUUID
  readonly content: string
}

/** Signs content in the name of a pod: HMAC-SHA512 over the bytes of its UUID and of the content, in base64. */
export function signContent(key: Uint8Array, { uuid, content }: Claim): string {
  return digest(key, { uuid, content }).toString('base64')
}

/** Whether this service has signed the content in the name of that pod. */
export function verifyContent(key: Uint8Array, { signature, ...claim }: Claim & { readonly signature: string }): boolean {
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(signature)) return false
  return isSame(digest(key, claim), Buffer.from(signature, 'base64'))
}

function digest(key: Uint8Array, { uuid, content }: Claim): Buffer {
  return createHmac('sha512', key).update(Buffer.from(uuid.replaceAll('-', ''), 'hex')).update(content).digest()
}
