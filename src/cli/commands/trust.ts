import { existsSync, readFileSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import { errorText, escapeText, limits, quote, RktError } from '../../base/index.ts'
import { discoverKeys, receivePublicKeys } from '../../fetch/index.ts'
import { groupFingerprint, openKeystore, prepareIdentity, prepareTrust, type Keystore, type PreparedTrust, type TrustedSigner, type TrustScope } from '../../trust/index.ts'
import { usage } from '../arguments.ts'
import { configuredCredentials } from '../config/credentials.ts'
import type { Context } from '../context.ts'
import type { Invocation } from '../parse/invocation.ts'
import { tabulate } from '../tabulate.ts'
import { askYesOrNo } from '../terminal.ts'
import { readScope } from '../trust-scope.ts'
import { userAgent } from '../version.ts'
import { explainTrust } from './trust-explain.ts'
import { removeTrust } from './trust-rm.ts'

/** Adds keys to the local key store after a review; lists, removes or explains the stored ones. */
export async function run(context: Context, invocation: Invocation): Promise<number> {
  const keystore = openKeystore(context.config)
  if (invocation.words.length === 1 && invocation.words[0] === 'list') return listKeys(context, keystore)
  if (invocation.words[0] === 'rm') return removeTrust(context, invocation)
  if (invocation.words[0] === 'explain') return await explainTrust(context, invocation)
  const scope = readScope(invocation)
  if (identityFlags.some((name) => invocation.flags.given(name))) return trustIdentity({ context, keystore, invocation, scope })
  const http = context.insecure.pubkey || invocation.flags.bool('insecure-allow-http')
  const review = !invocation.flags.bool('skip-fingerprint-review')
  const locations = invocation.words.length > 0 ? invocation.words : await findLocations(context, { invocation, scope, http })
  for (const location of locations) await trustKeys({ context, keystore, scope, location, review, http })
  return 0
}

/** Where the publisher of a prefix says that its keys are. */
async function findLocations(
  context: Context,
  { invocation, scope, http }: { readonly invocation: Invocation; readonly scope: TrustScope; readonly http: boolean },
): Promise<readonly string[]> {
  if (scope.kind === 'root') throw usage(invocation, 'must provide at least one PUBKEY with --root: keys are discovered by prefix')
  return await discoverKeys(scope.prefix, requestOptions(context, http))
}

/** The original's own switch for keys over http is another one than that for images. */
function requestOptions(context: Context, http: boolean): Parameters<typeof receivePublicKeys>[1] {
  const { signal, log, insecure, config, now } = context
  return { signal, log, insecure: { tls: insecure.tls, http }, userAgent, credentials: configuredCredentials(config, now) }
}

interface TrustStep {
  readonly context: Context
  readonly keystore: Keystore
  readonly scope: TrustScope
  readonly location: string
  readonly review: boolean
  /** Whether keys may come over plain http. */
  readonly http: boolean
}

/** Adds the keys of one file or URL, unless the review ends with a no. */
async function trustKeys({ context, keystore, scope, location, review, http }: TrustStep): Promise<void> {
  const bytes = await readKeys(context, { location, http })
  commitTrust(context, { prepared: await prepareTrust({ bytes, scope, keystore, what: quote(location), now: new Date(context.now()) }), scope, location, review })
}

const identityFlags = ['identity', 'issuer', 'trust-root'] as const

interface IdentityStep {
  readonly context: Context
  readonly keystore: Keystore
  readonly invocation: Invocation
  readonly scope: TrustScope
}

/** Adds an identity for which certificates are made, with the trust root of those who make them. */
function trustIdentity({ context, keystore, invocation, scope }: IdentityStep): number {
  const { flags, words } = invocation
  const [subject, issuer] = [flags.text('identity') ?? '', flags.text('issuer') ?? '']
  if (subject === '' || issuer === '' || words.length > 0) throw usage(invocation, 'an identity is given by --identity=SUBJECT and --issuer=URL, without PUBKEY')
  const file = findTrustRoot(context, flags.text('trust-root') ?? '')
  const prepared = prepareIdentity({ subject, issuer, trustRoot: readTrustFile(context, file), scope, keystore, what: quote(file) })
  commitTrust(context, { prepared, scope, location: subject, review: !flags.bool('skip-fingerprint-review') })
  return 0
}

/** The file that is named, or the one that the configuration directories have; it is copied, so that later changes do not act unseen. */
function findTrustRoot({ config }: Context, given: string): string {
  if (given !== '') return given
  const found = [config.local, config.system].map((directory) => `${directory}/trusted-root.json`).find((path) => existsSync(path))
  if (found !== undefined) return found
  throw new RktError('usage', 'cannot trust an identity: no trust root says whose certificates and logs count', {
    hint: `name one with --trust-root=FILE, or put it at ${config.local}/trusted-root.json`,
  })
}

interface CommitStep {
  readonly prepared: PreparedTrust
  readonly scope: TrustScope
  readonly location: string
  readonly review: boolean
}

function commitTrust(context: Context, { prepared, scope, location, review }: CommitStep): void {
  const prefix = scope.kind === 'root' ? '' : scope.prefix
  context.log.notice('pubkey', `prefix: ${quote(prefix)}\nkey: ${quote(location)}`)
  context.out(prepared.reviewText)
  for (const { fingerprint, warnings } of prepared.keys) {
    for (const warning of warnings) context.log.warn(`warning: key ${fingerprint}: ${warning}`)
  }
  if (review && !askYesOrNo('Are you sure you want to trust this key')) {
    context.log.info(`not trusting ${quote(location)}`)
    return
  }
  context.out(`Trusting ${quote(location)} for prefix ${quote(prefix)} ${review ? 'after' : 'without'} fingerprint review.`)
  for (const { path } of prepared.commit()) {
    context.out(scope.kind === 'root' ? `Added root key at ${quote(path)}` : `Added key for prefix ${quote(prefix)} at ${quote(path)}`)
  }
}

async function readKeys(context: Context, { location, http }: { readonly location: string; readonly http: boolean }): Promise<Uint8Array> {
  if (/^https?:\/\//i.test(location)) {
    if (/^http:/i.test(location) && !http) {
      throw new RktError('policy-refused', `cannot fetch key ${quote(location)}: plain http is not allowed; expected https`, {
        hint: 'use an https URL, or allow it once with --insecure-allow-http',
      })
    }
    return await receivePublicKeys(location, requestOptions(context, http))
  }
  return readTrustFile(context, location)
}

function readTrustFile(context: Context, location: string): Uint8Array {
  const path = resolve(context.cwd, location)
  try {
    const stat = statSync(path)
    if (!stat.isFile()) throw new RktError('io', `cannot read key file ${quote(location)}: not a regular file`)
    if (stat.size > limits.keyBytes) throw new RktError('limit-exceeded', `cannot read key file ${quote(location)}: ${stat.size} bytes; expected at most ${limits.keyBytes}`)
    return readFileSync(path)
  } catch (cause) {
    if (cause instanceof RktError) throw cause
    throw new RktError('io', `cannot read key file ${quote(location)}: ${errorText(cause)}`, { cause })
  }
}

/** One row for each stored key; a key of an empty prefix is a root key. */
function listKeys(context: Context, keystore: Keystore): number {
  const rows = keystore.allSigners().map((signer) => [signer.scope.kind === 'root' ? '(root)' : signer.scope.prefix, groupFingerprint(signer.id), signer.path, wordsOf(signer)])
  context.out(tabulate([['PREFIX', 'FINGERPRINT', 'PATH', 'KIND'], ...rows]))
  return 0
}

function wordsOf(signer: TrustedSigner): string {
  switch (signer.kind) {
    case 'openpgp':
      return 'openpgp'
    case 'sigstore-key':
      return `sigstore key (${signer.algorithm})`
    case 'sigstore-identity':
      return `sigstore identity ${escapeText(signer.subject)} (${escapeText(signer.issuer)})`
  }
}
