import { existsSync } from 'node:fs'
import { libraryFile, RktError } from '../base/index.ts'
import { findMachine } from './kvm/machine.ts'
import { findRuntime } from './oci/find-runtime.ts'

/** What a flavour of isolation is on this host. */
export interface IsolationReport {
  /** As `--isolation` takes it. */
  readonly name: string
  readonly available: boolean
  /** Why it is not, or how it is done. */
  readonly note: string
  /** What the pod has of its own. */
  readonly own: readonly string[]
  /** How many apps a pod can have: as many as 64, or one. */
  readonly apps: 'many' | 'one'
}

const namespaces = ['users', 'processes', 'mounts', 'network', 'IPC', 'host name', 'control group', 'system call filter']

/** Runtimes that are looked for; others can be named too. */
const runtimes = ['crun', 'runc', 'runsc'] as const

/** Every flavour, weakest first, and whether this host can start it; changes nothing. */
export function reportIsolation(): IsolationReport[] {
  const userNamespaces = existsSync('/proc/self/ns/user')
  return [
    { name: 'fly', available: true, note: 'no isolation: the app is a process of the host in a root of its own', own: ['root directory'], apps: 'one' },
    {
      name: 'ns',
      available: userNamespaces,
      note: userNamespaces ? 'Linux namespaces and the default confinement' : 'the kernel has no user namespaces; --private-users=false does without',
      own: namespaces,
      apps: 'many',
    },
    ...runtimes.map(reportRuntime),
    reportMachine(),
  ]
}

function reportRuntime(name: (typeof runtimes)[number]): IsolationReport {
  const gvisor = name === 'runsc'
  const own = gvisor ? ['system calls', ...namespaces.filter((what) => what !== 'users')] : namespaces
  const place = whereIs(name)
  return { name: `oci:${name}`, available: place.kind === 'found', note: place.kind === 'found' ? `${place.path}${gvisor ? ': gVisor answers the system calls' : ''}` : place.hint, own, apps: gvisor ? 'one' : 'many' }
}

type Place = { readonly kind: 'found'; readonly path: string } | { readonly kind: 'missing'; readonly hint: string }

function whereIs(name: string): Place {
  try {
    return { kind: 'found', path: findRuntime(name).path }
  } catch (error) {
    if (!(error instanceof RktError)) throw error
    return { kind: 'missing', hint: error.hint ?? error.message }
  }
}

function reportMachine(): IsolationReport {
  const common = { name: 'kvm', own: ['kernel', ...namespaces], apps: 'many' } as const
  try {
    const { accelerated, monitor } = findMachine()
    return { ...common, available: true, note: `${monitor}, ${accelerated ? 'with KVM' : 'emulated: this processor has no svm or vmx'}; no network and no host volumes yet` }
  } catch (error) {
    if (!(error instanceof RktError)) throw error
    return { ...common, available: false, note: error.hint === undefined ? error.message : `${error.message}; ${error.hint}` }
  }
}

/** The smallest app there is: the launcher itself. */
export function smallestApp(): { readonly program: string; readonly exit: readonly string[]; readonly wait: readonly string[] } {
  return { program: libraryFile('launcher'), exit: ['/app', 'app', '0'], wait: ['/app', 'app', '1'] }
}
