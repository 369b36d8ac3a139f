import { parseStrictJson, type Digest } from '../base/index.ts'
import { asObject, decodeDocument, element, fault, kindOf, type Decoder } from './decode.ts'
import { filledText, list, object, optional, orElse, plainText, required, text, textMap, textWhere } from './decoders.ts'
import { digest, type OciPlatform } from './oci-descriptor.ts'

/** How to run an image. SPEC: OCI image-spec config.md. */
export interface OciRunConfig {
  /** `user`, `uid`, `user:group` and so on; empty for root. */
  readonly user: string
  /** `NAME=VALUE`. */
  readonly env: readonly string[]
  readonly entrypoint: readonly string[]
  readonly cmd: readonly string[]
  /** Empty when the image says nothing. */
  readonly workingDir: string
  /** Paths, in the order of the document. */
  readonly volumes: readonly string[]
  /** `port`, `port/tcp`, `port/udp`, in the order of the document. */
  readonly exposedPorts: readonly string[]
  readonly labels: Readonly<Record<string, string>>
  /** Such as `SIGINT` or `2`; empty when the image says nothing. */
  readonly stopSignal: string
}

/** What an image's config blob says. */
export interface OciConfig {
  readonly platform: OciPlatform
  readonly created?: string
  readonly author?: string
  readonly run: OciRunConfig
  /** Digests of the uncompressed layers, the lowest first. */
  readonly diffIDs: readonly Digest[]
}

const texts: Decoder<readonly string[]> = list(plainText)

/** The names of an object whose values mean nothing. */
const keys: Decoder<readonly string[]> = (at) => {
  const source = asObject(at.value)
  if (source === undefined) return fault(at, `${kindOf(at.value)}; expected an object`)
  const names = Object.keys(source)
  return list(plainText)({ ...at, value: names })
}

const environment: Decoder<readonly string[]> = (at) => {
  const found = texts(at)
  if (found === undefined) return undefined
  const before = at.faults.length
  for (const [position, entry] of found.entries()) if (!/^[^=]+=/s.test(entry)) fault(element(at, position, entry), 'no name and "="; expected NAME=VALUE')
  return at.faults.length > before ? undefined : found
}

const runConfig = object({
  User: orElse(plainText, () => ''),
  Env: orElse(environment, () => []),
  Entrypoint: orElse(texts, () => []),
  Cmd: orElse(texts, () => []),
  WorkingDir: orElse(plainText, () => ''),
  Volumes: orElse(keys, () => []),
  ExposedPorts: orElse(keys, () => []),
  Labels: orElse(textMap, () => ({})),
  StopSignal: orElse(text, () => ''),
})

const config = object({
  os: required(filledText),
  architecture: required(filledText),
  variant: orElse(text, () => ''),
  created: optional(text),
  author: optional(text),
  config: optional(runConfig),
  rootfs: required(object({ type: required(textWhere((value) => value === 'layers', '"layers"')), diff_ids: required(list(digest)) })),
})

const nothing: OciRunConfig = { user: '', env: [], entrypoint: [], cmd: [], workingDir: '', volumes: [], exposedPorts: [], labels: {}, stopSignal: '' }

const ociConfig: Decoder<OciConfig> = (at) => {
  const found = config(at)
  if (found === undefined) return undefined
  const { os, architecture, variant, created, author, config: run, rootfs } = found
  return {
    platform: { os, architecture, variant },
    ...(created === undefined ? {} : { created }),
    ...(author === undefined ? {} : { author }),
    diffIDs: rootfs.diff_ids,
    run:
      run === undefined
        ? nothing
        : {
            user: run.User,
            env: run.Env,
            entrypoint: run.Entrypoint,
            cmd: run.Cmd,
            workingDir: run.WorkingDir,
            volumes: run.Volumes,
            exposedPorts: run.ExposedPorts,
            labels: run.Labels,
            stopSignal: run.StopSignal,
          },
  }
}

/**
 * Reads the config blob of an image; only for bytes whose digest a verified manifest names.
 *
 * @throws RktError `invalid-json`, `limit-exceeded` or `invalid-manifest`.
 */
export function readOciConfig(bytes: Uint8Array): OciConfig {
  return decodeDocument(parseStrictJson(bytes, { what: 'OCI config' }), { what: 'OCI config', decode: ociConfig })
}
