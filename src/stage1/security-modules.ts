import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { escapeText, isErrno, libraryFile, mappedIdCount, RktError } from '../base/index.ts'

/** The profile that apps get where the host uses AppArmor and nothing else is said; stage1/rkt-default.apparmor. */
export const defaultProfile = 'rkt-default'

const parser = '/usr/sbin/apparmor_parser'
const profiles = '/sys/kernel/security/apparmor/profiles'

/** Which security modules with labels this host has. */
export interface SecurityModules {
  readonly selinux: boolean
  readonly apparmor: boolean
  /** Whether apps get a profile without asking: AppArmor is on, and the host has its tools or the profile. */
  readonly usesProfiles: boolean
}

/** Asks the kernel; two look-ups where there is neither. */
export function readSecurityModules(): SecurityModules {
  const apparmor = existsSync('/proc/self/attr/apparmor/exec') && readFlag('/sys/module/apparmor/parameters/enabled')
  // An ordinary user can neither load a profile nor see which there are; one that applies to him goes on to apply.
  const usesProfiles = apparmor && mappedIdCount() === undefined && (isLoaded(defaultProfile) || existsSync(parser))
  return { selinux: existsSync('/sys/fs/selinux/enforce'), apparmor, usesProfiles }
}

/**
 * Hands the default profile to the kernel unless it has it.
 *
 * @throws RktError `unsupported-host` when that fails: the host expects its containers to be confined.
 */
export function loadDefaultProfile(): void {
  if (isLoaded(defaultProfile)) return
  const file = libraryFile('rkt-default.apparmor')
  const { status, stderr } = spawnSync(parser, ['--skip-cache', '--replace', file], { env: { LC_ALL: 'C' }, stdio: ['ignore', 'ignore', 'pipe'], timeout: 30_000 })
  if (status === 0) return
  throw new RktError('unsupported-host', `cannot load AppArmor profile "${defaultProfile}": ${escapeText(stderr?.toString().split('\n')[0] ?? '')}`, {
    hint: `${parser} --replace ${file}`,
  })
}

function readFlag(path: string): boolean {
  return readIfThere(path).startsWith('Y')
}

function isLoaded(profile: string): boolean {
  return readIfThere(profiles).split('\n').some((line) => line.startsWith(`${profile} (`))
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'EACCES')) return ''
    throw error
  }
}
