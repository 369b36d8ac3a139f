import { quote, RktError } from '../base/index.ts'
import { readManifest, type Pod } from '../pod/index.ts'
import type { ACName } from '../spec/index.ts'
import type { Invocation } from './parse/invocation.ts'

/**
 * The app of a pod that `--app` names, or its only one.
 *
 * @throws RktError `not-found`, `usage` with the list of apps.
 */
export function chooseApp(pod: Pod, { command, flags }: Invocation): ACName {
  const wanted = flags.text('app')
  const names = readManifest(pod).apps.map(({ name }) => name)
  const [only] = names
  if (wanted !== undefined) {
    const found = names.find((name) => name === wanted)
    if (found === undefined) throw new RktError('not-found', `pod "${pod.uuid}" has no app ${quote(wanted)}`, { hint: `its apps are ${names.join(', ')}` })
    return found
  }
  if (only === undefined) throw new RktError('wrong-state', `pod "${pod.uuid}" has no apps`)
  if (names.length === 1) return only
  const list = names.map((name) => `\t${name}\n`).join('')
  throw new RktError('usage', `pod contains multiple apps:\n${list}specify app using "rkt ${command.name} --app= ..."`)
}
