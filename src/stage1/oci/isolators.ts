import { escapeText, quote, RktError } from '../../base/index.ts'
import type { PreparedApp } from '../../pod/index.ts'
import type { Isolator, IsolatorKind } from '../../spec/index.ts'
import { enforceable, type Enforceable, type EnforceableOptions } from '../ns/enforceable.ts'
import type { RuntimeKind } from './find-runtime.ts'

/** Isolators that are not handed to a runtime; runc makes groups of its own, in which block I/O is not limited. */
const beyond: ReadonlySet<IsolatorKind> = new Set(['sysctl', 'selinux-context', 'apparmor-profile'])
const beyondRunc: ReadonlySet<IsolatorKind> = new Set(['block-bandwidth', 'block-iops'])

/**
 * The isolators of an app that this host and its runtime enforce.
 *
 * @throws RktError `unsupported-host` as `enforceable`, `unsupported` for one that only the flavour `ns` enforces.
 */
export function ociIsolators({ name, app }: PreparedApp, options: Omit<EnforceableOptions, 'who'> & { readonly kind: RuntimeKind }): Enforceable {
  const { isolators, warnings } = enforceable(app.isolators, { ...options, who: `app ${quote(name)}` })
  const kept: Isolator[] = []
  const left: string[] = []
  for (const isolator of isolators) {
    if (!beyond.has(isolator.kind) && !(options.kind === 'runc' && beyondRunc.has(isolator.kind))) {
      kept.push(isolator)
    } else if (isolator.optional === undefined) {
      throw new RktError('unsupported', `cannot enforce isolator ${quote(isolator.name)} of app ${quote(name)} with isolation "oci"`, { hint: 'use --isolation=ns' })
    } else {
      left.push(`warning: isolator ${quote(isolator.name)} of app ${quote(name)} is not enforced with isolation "oci"`)
    }
  }
  return { isolators: kept, warnings: [...warnings, ...left].map((line) => escapeText(line)) }
}
