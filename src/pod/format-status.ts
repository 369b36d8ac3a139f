import { escapeText, quote, unreachable } from '../base/index.ts'
import { networksColumn, portsColumn } from '../network/index.ts'
import { isolationText } from '../spec/index.ts'
import type { Verdict } from '../trust/index.ts'
import type { AppStatus } from './app-status.ts'
import { hasRun, type PodState } from './state.ts'
import type { PodStatus } from './status.ts'

export interface FormatStatusOptions {
  /** Writes a time in the long layout. */
  readonly time: (timeMs: number) => string
}

/** The lines of `rkt status`: those of the original first, then who vouched for each image, then why the start failed. */
export function formatPodStatus(pod: PodStatus, { time }: FormatStatusOptions): string[] {
  const lines = [`state=${pod.state}`]
  if (pod.createdAtMs !== undefined) lines.push(`created=${time(pod.createdAtMs)}`)
  if (pod.startedAtMs !== undefined) lines.push(`started=${time(pod.startedAtMs)}`)
  if (pod.state === 'running' || pod.state === 'exited') lines.push(`networks=${networksColumn(pod.networks)}`)
  if (pod.state === 'running' && pod.ports.length > 0) lines.push(`ports=${portsColumn(pod.ports)}`)
  if (pod.state === 'running' || hasRun(pod.state)) lines.push(...outcome(pod))
  for (const app of pod.apps) {
    if (app.signature !== undefined) lines.push(`image-${app.name}=${app.imageName ?? '--'} (${app.imageID}) ${voucher(app.signature)}`)
  }
  if (pod.isolation !== undefined) lines.push(`isolation=${isolationText(pod.isolation)}`)
  for (const line of pod.degraded) lines.push(`degraded=${line}`)
  if (pod.failure !== undefined) lines.push(`error=${pod.failure}`)
  return lines
}

function outcome(pod: PodStatus): string[] {
  return [
    ...(pod.pid === undefined ? [] : [`pid=${pod.pid}`]),
    `exited=${isExited(pod.state)}`,
    ...(pod.state === 'running' ? [] : pod.apps.flatMap(exitLine)),
  ]
}

function exitLine({ name, exitCode, reason }: AppStatus): string[] {
  return [...(exitCode === undefined ? [] : [`app-${name}=${exitCode}`]), ...(reason === undefined ? [] : [`app-${name}-reason=${reason}`])]
}

function isExited(state: PodState): boolean {
  return state === 'exited' || state === 'exited garbage'
}

function voucher(verdict: Verdict): string {
  switch (verdict.kind) {
    case 'signed': {
      const [identity] = verdict.signerIdentities
      return `signed by ${verdict.keyFingerprint}${identity === undefined ? '' : ` ${quote(identity)}`}`
    }
    case 'waived':
      return `waived: ${escapeText(verdict.reason)}`
    default:
      return unreachable(verdict)
  }
}
