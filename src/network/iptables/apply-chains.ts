import { spawnSync } from 'node:child_process'
import { RktError } from '../../base/index.ts'
import { versionOf } from '../netfilter/pod-rules.ts'
import { type ChainOptions, iptablesPath, podChains } from './pod-chains.ts'

/**
 * Lets ports lead to one address of a pod by iptables, in one step.
 *
 * @throws RktError `network-setup`, `missing-tool`.
 */
export function applyChains(options: ChainOptions): void {
  const program = versionOf(options.target.ip) === 4 ? 'iptables-restore' : 'ip6tables-restore'
  const { status, error, stderr } = spawnSync(program, ['--noflush', '--wait', '10'], {
    input: podChains(options),
    env: { PATH: iptablesPath },
    cwd: '/',
    encoding: 'utf8',
    timeout: 30_000,
    killSignal: 'SIGKILL',
  })
  if (error !== undefined) throw new RktError('missing-tool', `cannot forward ports: cannot run ${program}: ${error.message}`, { cause: error })
  if (status !== 0) throw new RktError('network-setup', `failed to setup network: ${program}: ${stderr.trim().split('\n')[0] ?? ''}`)
}
