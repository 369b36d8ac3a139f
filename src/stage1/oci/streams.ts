import { RktError } from '../../base/index.ts'
import { type AppStreamsInputs, planStreams } from '../app-streams.ts'
import { stdioMode } from '../plan/flags.ts'
import type { Operation } from '../plan/operations.ts'

/**
 * The streams of an app that an OCI runtime makes: what reaches the runtime reaches the app, but for terminals, sockets and states.
 *
 * @throws RktError `unsupported`.
 */
export function ociStreams(inputs: AppStreamsInputs): readonly Operation[] {
  const { operations } = planStreams(inputs)
  const refuse = (what: string): RktError =>
    new RktError('unsupported', `cannot run app "${inputs.app.name}" with isolation "oci": ${what}`, { hint: 'use --isolation=ns' })
  for (const operation of operations) {
    if (operation.op === 'stdio' && Object.values(operation).includes(stdioMode.attachTerminal)) throw refuse('a terminal for those who attach is made by the launcher only')
    if (operation.op === 'listen') throw refuse('passed sockets do not reach it')
  }
  return operations.filter(({ op }) => op !== 'notify-socket')
}
