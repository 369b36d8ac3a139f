import { isRktError } from '../../src/base/index.ts'
import { parseACIdentifier, type ACIdentifier } from '../../src/spec/index.ts'
import { authorize, checkSignature } from '../../src/trust/index.ts'
import type { TestKeystore } from './keystore.ts'
import { receivedBlob } from './received.ts'

export interface OutcomeOptions {
  readonly keys: TestKeystore
  readonly data: Uint8Array
  readonly signature: Uint8Array
  readonly now?: Date
  readonly name?: ACIdentifier
}

/**
 * What becomes of an image with this content, signature and name: `accepted`, or `CODE: MESSAGE` of the refusal. Anything that is
 * not a refusal is thrown on, so that no crash passes for one.
 */
export async function outcomeOf({ keys, data, signature, now = new Date(), name = parseACIdentifier('example.com/app') }: OutcomeOptions): Promise<string> {
  try {
    const signed = await checkSignature(receivedBlob(data), signature, keys.keystore, { now })
    authorize(signed, { name, nameSource: 'requested', keystore: keys.keystore, now })
    return 'accepted'
  } catch (error) {
    if (!isRktError(error)) throw error
    if (error.message.includes('\n')) throw new Error('a message has one line', { cause: error })
    return `${error.code}: ${error.message}`
  }
}
