import { parseACIdentifier, type Isolator } from '../../src/spec/index.ts'

/** A seccomp isolator that keeps what it names. */
export function retain(set: readonly string[], errno?: string): Isolator {
  return { kind: 'seccomp-retain', name: parseACIdentifier('os/linux/seccomp-retain-set'), value: {}, set, ...(errno === undefined ? {} : { errno }) }
}

/** A seccomp isolator that takes away what it names. */
export function remove(set: readonly string[], errno?: string): Isolator {
  return { kind: 'seccomp-remove', name: parseACIdentifier('os/linux/seccomp-remove-set'), value: {}, set, ...(errno === undefined ? {} : { errno }) }
}
