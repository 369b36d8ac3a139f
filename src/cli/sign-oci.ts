import { existsSync, readFileSync, statSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { isErrno, limits, quote, RktError, writeDurably } from '../base/index.ts'
import { formatOciReference, lookasideURL, openOciTarget, parseOciReference, type OciReference } from '../fetch/index.ts'
import { formatDockerReference, parseDockerReference, readOciDocument, type DockerReference, type OciDocument, type OciTarget } from '../spec/index.ts'
import { attachDetachedSignature, attachSigstoreSignature, isPrivateKeyPem, readPrivateKey, signContainer, signManifest, signWithSigstoreKey, type GpgSigning, type SigningSubject } from '../trust/index.ts'
import { configuredCredentials } from './config/credentials.ts'
import { configuredLookaside } from './config/lookaside.ts'
import { configuredLogins } from './config/registry-logins.ts'
import type { Context } from './context.ts'
import type { FlagValues } from './parse/flag-values.ts'
import { rktVersion, userAgent } from './version.ts'

export interface SignOciOptions {
  /** As the user wrote it. */
  readonly text: string
  readonly flags: FlagValues
  readonly gpg: GpgSigning
}

/**
 * Signs what an OCI reference names, and every image of an index that is there: by a Sigstore key beside the image, by OpenPGP into a
 * lookaside directory, or, with `--detached`, beside the image too.
 *
 * @throws RktError `not-found`, `usage`, `key-invalid`, `unsupported`, and of the target.
 */
export async function signOci(context: Context, { text, flags, gpg }: SignOciOptions): Promise<void> {
  const reference = parseOciReference(text, { cwd: context.cwd })
  const identity = identityOf(reference, flags)
  await using target = await openOciTarget(reference, httpOptions(context))
  const documents = await documentsOf(target, reference)
  const sign = signerOf(context, { identity, flags, gpg })
  for (const document of documents) {
    const subject: SigningSubject = { digest: document.digest, reference: formatDockerReference(identity), now: new Date(context.now()), creator: `rkt ${rktVersion}` }
    context.out(`Signed ${quote(document.digest)} as ${quote(subject.reference)}: ${await sign(target, { document, subject })}`)
  }
}

function httpOptions({ signal, log, insecure, config, now }: Context): Parameters<typeof openOciTarget>[1] {
  return { signal, log, insecure, userAgent, credentials: configuredCredentials(config, now), logins: configuredLogins(config) }
}

/** The name that is signed: what a registry is asked for, or what the user says. */
function identityOf(reference: OciReference, flags: FlagValues): DockerReference {
  const given = flags.text('identity') ?? (reference.transport === 'docker' ? undefined : reference.ref)
  const { digest: _digest, ...name } = given === undefined && reference.transport === 'docker' ? reference : parseIdentity(given)
  const { host, repository, tag } = name
  const byDigest = reference.transport === 'docker' && reference.digest !== undefined && tag === undefined
  return { host, repository, ...(byDigest ? {} : { tag: tag ?? 'latest' }) }
}

function parseIdentity(given: string | undefined): DockerReference {
  if (given === undefined || !given.includes('/')) {
    throw new RktError('usage', 'cannot sign an image without a name', { hint: 'say what it is called: --identity=HOST/REPOSITORY:TAG' })
  }
  return parseDockerReference(given)
}

/** What the reference names; of an index, its images too, since other tools look for the signature of the image that they take. */
async function documentsOf(target: OciTarget, reference: OciReference): Promise<readonly OciDocument[]> {
  const wanted = reference.transport === 'docker' ? (reference.digest ?? reference.tag ?? 'latest') : (reference.ref ?? 'latest')
  const first = await target.manifest(wanted)
  if (first === undefined) throw new RktError('not-found', `cannot sign ${quote(formatOciReference(reference))}: it is not there`)
  const document = readOciDocument(first.bytes, first.mediaType)
  if (document.kind === 'manifest') return [first]
  const children = []
  for (const { digest } of document.manifests.slice(0, limits.imageSignatures)) children.push(await target.manifest(digest))
  return [first, ...children.filter((child) => child !== undefined)]
}

interface Signing {
  readonly document: OciDocument
  readonly subject: SigningSubject
}

/** Makes one signature and puts it in its place; gives the place in words. */
type Sign = (target: OciTarget, signing: Signing) => Promise<string>

function signerOf(context: Context, { identity, flags, gpg }: Omit<SignOciOptions, 'text'> & { readonly identity: DockerReference }): Sign {
  const pem = pemOf(context, flags)
  if (pem !== undefined) {
    const key = readPrivateKey(pem.bytes, { what: `key ${quote(pem.path)}`, passphrase: passphraseOf(context, flags) })
    return async (target, { document, subject }) => {
      await attachSigstoreSignature(target, document, signWithSigstoreKey(key, subject))
      return 'a tag and a bundle beside the image'
    }
  }
  if (flags.bool('detached')) {
    return async (target, { document }) => {
      await attachDetachedSignature(target, document, await signManifest(document.bytes, gpg))
      return 'a detached signature beside the image'
    }
  }
  const output = flags.text('output')
  const base = output === undefined ? configuredLookaside(context.config).findWrite(identity) : pathToFileURL(resolve(context.cwd, output)).href
  if (base === undefined || !base.startsWith('file:')) {
    throw new RktError('usage', `cannot sign ${quote(formatDockerReference(identity))}: no directory for its signatures is configured`, {
      hint: 'name one with --output=DIR, configure a lookaside in registries.d, or put the signature beside the image with --detached',
    })
  }
  return async (_target, { subject }) => await placeInLookaside(await signContainer(subject, gpg), { base, identity, subject })
}

interface LookasidePlace {
  readonly base: string
  readonly identity: DockerReference
  readonly subject: SigningSubject
}

/** The first free number: signatures of others stay. */
async function placeInLookaside(signature: Uint8Array, { base, identity, subject }: LookasidePlace): Promise<string> {
  for (let number = 1; number <= limits.imageSignatures; number += 1) {
    const path = fileURLToPath(lookasideURL(base, { reference: identity, digest: subject.digest, number }))
    if (existsSync(path)) continue
    await mkdir(dirname(path), { recursive: true, mode: 0o755 })
    writeDurably(path, signature, { mode: 0o644 })
    return quote(path)
  }
  throw new RktError('limit-exceeded', `cannot add a signature below ${quote(base)}: there are ${limits.imageSignatures} of this image; expected less`)
}

interface KeyFile {
  readonly path: string
  readonly bytes: Uint8Array
}

/** The private key in PEM form that `--key` or `--key-file` names; undefined for the keys of GnuPG. */
function pemOf(context: Context, flags: FlagValues): KeyFile | undefined {
  for (const name of ['key', 'key-file'] as const) {
    const given = flags.text(name)
    const path = given === undefined ? undefined : resolve(context.cwd, given)
    if (path === undefined || statSync(path, { throwIfNoEntry: false })?.isFile() !== true) continue
    const bytes = readFileSync(path)
    if (isPrivateKeyPem(bytes)) return { path, bytes }
  }
  return undefined
}

/** Of a file, without the line end that editors leave, or of the variable that cosign reads. */
function passphraseOf(context: Context, flags: FlagValues): Uint8Array | undefined {
  const file = flags.text('passphrase-file')
  if (file === undefined) return context.env['COSIGN_PASSWORD'] === undefined ? undefined : Buffer.from(context.env['COSIGN_PASSWORD'])
  try {
    return Buffer.from(readFileSync(resolve(context.cwd, file), 'utf8').replace(/\r?\n$/, ''))
  } catch (cause) {
    if (!isErrno(cause, 'ENOENT', 'EACCES', 'EISDIR')) throw cause
    throw new RktError('io', `cannot read passphrase file ${quote(file)}: ${cause.code ?? ''}`, { cause })
  }
}
