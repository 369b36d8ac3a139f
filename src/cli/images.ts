import type { ImageID } from '../base/index.ts'
import type { OnProgress } from '../fetch/index.ts'
import type { PodImage } from '../pod/index.ts'
import { checkPlatform, hostPlatform } from '../spec/index.ts'
import { acquireImage, openStore, type ImageRecord, type Store } from '../store/index.ts'
import { openKeystore, type Keystore } from '../trust/index.ts'
import { configuredCredentials } from './config/credentials.ts'
import { configuredLookaside } from './config/lookaside.ts'
import { configuredLogins } from './config/registry-logins.ts'
import type { Context } from './context.ts'
import type { FlagValues } from './parse/flag-values.ts'
import type { PullPolicy } from './pull-policy.ts'
import { userAgent } from './version.ts'

/** Where a command gets its images: every one that it hands out has been judged for this run. */
export interface ImagePlace {
  readonly store: Store
  readonly keystore: Keystore
  /** The image that a user named, fetched where the pull policy says so; `flags` are those that follow the image. */
  record(text: string, flags?: FlagValues): Promise<ImageRecord>
  /** As `record`, with its manifest, for a pod on this machine: another platform's image is refused. */
  acquire(text: string, flags?: FlagValues): Promise<PodImage>
  /** An image that must be stored already. */
  stored(id: ImageID): Promise<PodImage>
}

export interface OpenImagesOptions {
  readonly pullPolicy: PullPolicy
  readonly onProgress?: OnProgress
}

/** Opens store and keystore. */
export function openImages(context: Context, { pullPolicy, onProgress }: OpenImagesOptions): ImagePlace {
  const { log, signal, insecure, trustKeysFromHttps, cwd } = context
  const store = openStore(context.dataDir, { create: true, log })
  const keystore = openKeystore(context.config)
  const credentials = configuredCredentials(context.config, context.now)
  const logins = configuredLogins(context.config)
  const lookaside = configuredLookaside(context.config)
  const record = (text: string, policy: PullPolicy, flags?: FlagValues): Promise<ImageRecord> =>
    acquireImage(text, {
      store,
      keystore,
      pullPolicy: policy,
      insecure,
      trustKeysFromHttps,
      cwd,
      userAgent,
      signal,
      log,
      credentials,
      logins,
      lookaside,
      now: new Date(context.now()),
      ...wantedOf(flags),
      ...(onProgress === undefined ? {} : { onProgress }),
    })
  const withManifest = async (found: ImageRecord): Promise<PodImage> => {
    checkPlatform(found.labels, hostPlatform(process.arch))
    return { record: found, manifest: await store.manifest(found, { signal }) }
  }
  return {
    store,
    keystore,
    record: (text, flags) => record(text, pullPolicy, flags),
    acquire: async (text, flags) => withManifest(await record(text, pullPolicy, flags)),
    stored: async (id) => withManifest(await record(id, 'never')),
  }
}

/** What the flags of one image say about it; an empty text says nothing. */
function wantedOf(flags: FlagValues | undefined): { readonly signaturePath?: string; readonly expectName?: string } {
  const [signature, name] = [flags?.text('signature') ?? '', flags?.text('expect-name') ?? '']
  return { ...(signature === '' ? {} : { signaturePath: signature }), ...(name === '' ? {} : { expectName: name }) }
}
