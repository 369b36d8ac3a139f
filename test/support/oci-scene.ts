import type { OciImage, RawSignature } from '../../src/spec/index.ts'
import { formatDockerReference, parseACIdentifier } from '../../src/spec/index.ts'
import { prepareTrust, verifyOciImage, type Verified } from '../../src/trust/index.ts'
import { openGpg, type Gpg } from './gpg.ts'
import { openTestKeystore, type TestKeystore } from './keystore.ts'
import { makeOciImage, payloadOf, type SignedImage } from './oci-signing.ts'

/** Keys, a keystore, and an image to sign; ends with its scope. */
export interface OciScene extends Disposable {
  readonly gpg: Gpg
  readonly keys: TestKeystore
  readonly image: SignedImage
  /** Trusts every key of a file for a prefix. */
  trust(prefix: string, file: Uint8Array): Promise<string>
  /** A message about an image, signed by this key; `extra` goes to gpg. */
  message(key: string, options?: MessageOptions): RawSignature & { readonly form: 'simple-signing' }
  verify(signatures: readonly RawSignature[], of?: SignedImage): Promise<Verified<OciImage>>
}

export interface MessageOptions {
  readonly payload?: Uint8Array
  readonly extra?: readonly string[]
  readonly time?: string
}

export const scenePrefix = 'registry.example.com/team/app'

/** Opens a scene in which a minute has passed since everything was signed. */
export function openOciScene(image: SignedImage = makeOciImage()): OciScene {
  const gpg = openGpg()
  const keys = openTestKeystore()
  const defaultPayload = payloadOf({ digest: image.digest, reference: `${scenePrefix}:1.2` })
  return {
    gpg,
    keys,
    image,
    trust: async (prefix, bytes) => {
      const prepared = await prepareTrust({ bytes, scope: { kind: 'prefix', prefix: parseACIdentifier(prefix) }, keystore: keys.keystore, what: 'the test key', now: new Date() })
      return prepared.commit().map(({ path }) => path)[0] ?? ''
    },
    message: (key, { payload = defaultPayload, extra = [], time } = {}) => ({
      form: 'simple-signing',
      place: 'test',
      bytes: gpg.run([...(time === undefined ? [] : ['--faked-system-time', `${time}!`]), '--local-user', key, ...extra, '--output', '-', '--sign'], { input: payload }),
    }),
    verify: (signatures, of = image) =>
      verifyOciImage(of.image, {
        signatures,
        name: of.name,
        nameSource: 'requested',
        reference: of.reference,
        image: `docker://${formatDockerReference(of.reference)}`,
        keystore: keys.keystore,
        now: new Date(Date.now() + 60_000),
      }),
    [Symbol.dispose]: () => {
      gpg[Symbol.dispose]()
      keys[Symbol.dispose]()
    },
  }
}
