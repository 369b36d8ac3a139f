import { quote, RktError } from '../../base/index.ts'
import { formatOciReference, openOciTarget, parseOciReference, type OciReference } from '../../fetch/index.ts'
import { openStore, pushImage } from '../../store/index.ts'
import { takeTwo } from '../arguments.ts'
import { configuredCredentials } from '../config/credentials.ts'
import { configuredLogins } from '../config/registry-logins.ts'
import type { Context } from '../context.ts'
import type { Invocation } from '../parse/invocation.ts'
import { userAgent } from '../version.ts'

/** Writes a stored OCI image to a registry or layout, and prints the digest of its manifest. */
export async function run(context: Context, invocation: Invocation): Promise<number> {
  const { log, signal, insecure, config, cwd } = context
  const [text, where] = takeTwo(invocation, ['image', 'registry'])
  const reference = parseOciReference(where, { cwd })
  const store = openStore(context.dataDir, { create: false, log })
  const record = store.find(text)
  if (insecure.tls) log.notice('image', 'warning: TLS verification has been disabled')
  await using target = await openOciTarget(reference, {
    ...{ signal, log, insecure, userAgent },
    credentials: configuredCredentials(config, context.now),
    logins: configuredLogins(config),
  })
  const { digest } = await pushImage(store, record, { target, tag: tagOf(reference), host: reference.transport === 'docker' ? reference.host : undefined, signal })
  context.out(digest)
  return 0
}

/** Under a digest alone nothing can be written but exactly that; the manifest says its own. */
function tagOf(reference: OciReference): string | undefined {
  if (reference.transport !== 'docker') return reference.ref
  if (reference.digest === undefined) return reference.tag ?? 'latest'
  throw new RktError('invalid-reference', `cannot push to ${quote(formatOciReference(reference))}: it names a digest; expected a tag`)
}
