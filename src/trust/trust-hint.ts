import { shellWord } from '../base/index.ts'
import type { ACIdentifier, SignatureKind } from '../spec/index.ts'
import type { Policy } from './policy/policy.ts'
import { signerForm } from './signer-id.ts'
import type { TrustedSigner } from './trusted-signer.ts'

export interface TrustHintOptions {
  readonly name?: ACIdentifier | undefined
  /** Who is to be trusted: a stored signer, or as far as that is known the kind of signature. */
  readonly signer?: TrustedSigner | SignatureKind | undefined
}

/** The two ways on for an image that no trusted key signed: trust its key, or allow it once where that is possible. */
export function trustHint({ isLocked, ...trusting }: TrustHintOptions & { readonly isLocked: boolean }): string {
  return `trust its key with: ${trustCommand(trusting)}${orOnce(isLocked)}`
}

/** Ends a hint; an administrator may allow no image without a signature. */
export function orOnce(isLocked: boolean): string {
  return isLocked ? '' : '; or allow it once with --insecure-options=image'
}

/** The command that trusts a signer for an image. */
export function trustCommand({ name, signer }: TrustHintOptions): string {
  return `rkt trust --prefix=${name ?? 'PREFIX'} ${signerWords(signer)}`
}

/** What `rkt trust` takes for a signer. */
function signerWords(signer: TrustHintOptions['signer']): string {
  if (typeof signer === 'object') return signer.kind === 'sigstore-identity' ? `--identity=${shellWord(signer.subject)} --issuer=${shellWord(signer.issuer)}` : shellWord(signer.path)
  return signer === 'sigstore-identity' ? '--identity=SUBJECT --issuer=URL' : 'KEYFILE'
}

export interface SignCommandOptions {
  /** How commands call the image where it comes from: `docker://…`, `oci:…` and so on; undefined for an ACI. */
  readonly image: string | undefined
  readonly name: ACIdentifier
  /** The kind that is wanted; any when left out. */
  readonly kind?: SignatureKind | undefined
  /** Who is to sign, as `rkt trust list` names it. */
  readonly signer?: string | undefined
}

/** Whether an image lies in an archive, into which nothing can be put. */
export function isImageArchive(image: string): boolean {
  return /^(?:oci|docker)-archive:/.test(image)
}

/** The command by which an image gets a signature of a kind. */
export function signCommand({ image = 'IMAGE', name, kind = 'openpgp', signer }: SignCommandOptions): string {
  if (isImageArchive(image)) return `rkt fetch --signature=FILE ${shellWord(image)}`
  if (kind === 'sigstore-identity') return `cosign sign ${shellWord(image.replace(/^docker:\/\//, ''))}`
  const isAci = image === 'IMAGE'
  const flags = [
    // Where no lookaside is configured, too: it lies beside the image.
    ...(kind === 'openpgp' && !isAci ? ['--detached'] : []),
    ...(kind === 'sigstore-key' ? ['--key=KEY.pem'] : signer === undefined ? [] : [`--key=${signer}`]),
    // A layout whose REF is no whole name has no name that could be signed.
    ...(/^oci:[^:]*(?::[^/]*)?$/.test(image) ? [`--identity=${name.includes('~') ? 'HOST/REPOSITORY:TAG' : name}`] : []),
  ]
  return ['rkt image sign', ...flags, shellWord(image)].join(' ')
}

/** The kind of signature that the missing signer makes and the policy accepts, the first of several. */
export function wantedKind(kinds: Policy['kinds'], signer: string | undefined): SignatureKind | undefined {
  const form = signer === undefined ? undefined : signerForm(signer)
  if (form === 'sigstore-key' || form === 'sigstore-identity') return form
  return kinds?.find((kind) => form === undefined || kind === 'openpgp' || kind === 'simple-signing')
}
