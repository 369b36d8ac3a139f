import { existsSync, statSync } from 'node:fs'
import { isRktError, shellWord, type RktError } from '../base/index.ts'
import { askVerdict, storedDependencies, type ImageRecord, type Store } from '../store/index.ts'
import { isImageArchive, openKeystore, type Verdict } from '../trust/index.ts'
import type { Context } from './context.ts'
import { scopeFlag } from './trust-scope.ts'

/** What decides whether an image may run now. */
export interface Explanation {
  /** The one that holds now; of a refused image, the one that held last. */
  readonly verdict: Verdict
  readonly now: { readonly state: 'ok' } | { readonly state: 'refused'; readonly error: RktError }
  /** The command that changes the answer. */
  readonly command: string
}

/** Judges a stored image as a run would now, and writes nothing. */
export async function explain(context: Context, store: Store, record: ImageRecord): Promise<Explanation> {
  const { insecure, signal } = context
  try {
    const verdict = await askVerdict(store, record, { keystore: openKeystore(context.config), insecure, now: new Date(context.now()), signal })
    return { verdict, now: { state: 'ok' }, command: commandAgainst(context, { record, verdict }) }
  } catch (error) {
    if (!isRktError(error) || error.code === 'cancelled') throw error
    return { verdict: record.verdict, now: { state: 'refused', error }, command: commandFor(context, { record, error }) }
  }
}

export interface ChainExplanation extends Explanation {
  /** What the image depends on, each once, the nearest first. */
  readonly dependencies: readonly { readonly record: ImageRecord; readonly explanation: Explanation }[]
}

/** Judges an image and every image that it depends on: one that is refused or missing refuses the whole. */
export async function explainChain(context: Context, store: Store, record: ImageRecord): Promise<ChainExplanation> {
  const own = await explain(context, store, record)
  const dependencies: ChainExplanation['dependencies'][number][] = []
  try {
    for (const image of await storedDependencies(store, record, context)) dependencies.push({ record: image, explanation: await explain(context, store, image) })
  } catch (error) {
    if (!isRktError(error) || error.code === 'cancelled') throw error
    // To fetch an image looks for what it depends on again.
    const missing: Explanation = { ...own, now: { state: 'refused', error }, command: `rkt fetch ${record.id}` }
    return { ...(own.now.state === 'ok' ? missing : own), dependencies }
  }
  const refused = dependencies.find(({ explanation }) => explanation.now.state === 'refused')?.explanation
  if (own.now.state === 'refused' || refused === undefined) return { ...own, dependencies }
  return { ...own, now: refused.now, command: refused.command, dependencies }
}

/** What takes the trust away from an image that may run. */
function commandAgainst(context: Context, { record, verdict }: { readonly record: ImageRecord; readonly verdict: Verdict }): string {
  if (verdict.kind === 'waived') return signedFetch(record)
  return rktTrust(context, `rm ${verdict.keyFingerprint} ${scopeFlag(verdict.scope)}`)
}

/** What lets a refused image run. */
function commandFor(context: Context, { record, error }: { readonly record: ImageRecord; readonly error: RktError }): string {
  const { verdict } = record
  switch (error.code) {
    case 'signature-missing':
    case 'signature-invalid':
      return signedFetch(record)
    case 'corrupted':
      return `rkt image rm ${record.id}`
    // What a policy asks for, and which file to correct, only its refusal knows.
    case 'policy-refused':
    case 'invalid-config':
      return /(?:rkt|rm) [^;]+/.exec(error.hint ?? '')?.[0] ?? signedFetch(record)
    default:
      return rktTrust(context, verdict.kind === 'signed' ? `${scopeFlag(verdict.scope)} ${keyFile(verdict.keyPath)}` : `--prefix=${record.name} KEYFILE`)
  }
}

function signedFetch({ source }: ImageRecord): string {
  // Signatures of an OCI image are found beside it; an archive has no place for them.
  if (source.kind === 'oci') return `rkt fetch ${isImageArchive(source.reference) ? '--signature=FILE ' : ''}${shellWord(source.reference)}`
  return `rkt fetch --signature=FILE.asc ${shellWord(source.kind === 'file' ? source.path : source.url)}`
}

/** The key that decided, when its file is there still: masked by another one, for example. */
function keyFile(path: string): string {
  return existsSync(path) && statSync(path).size > 0 ? shellWord(path) : 'KEYFILE'
}

function rktTrust({ config }: Context, rest: string): string {
  const flags = [
    ...(config.system === '/usr/lib/rkt' ? [] : [`--system-config=${shellWord(config.system)}`]),
    ...(config.local === '/etc/rkt' ? [] : [`--local-config=${shellWord(config.local)}`]),
  ]
  return ['rkt', ...flags, 'trust', rest].join(' ')
}
