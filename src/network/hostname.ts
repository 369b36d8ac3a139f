import { type PodUUID, quote, RktError } from '../base/index.ts'

/**
 * The host name of a pod: as asked for, else `rkt-` and the UUID.
 *
 * @throws RktError `usage` for a name that the kernel or a resolver cannot take.
 */
export function podHostname(asked: string | undefined, uuid: PodUUID): string {
  if (asked === undefined || asked === '') return `rkt-${uuid}`
  if (asked.length > 64 || !/^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$/.test(asked)) {
    throw new RktError('usage', `cannot use host name ${quote(asked)}: expected at most 64 letters, digits, dots and hyphens`)
  }
  return asked
}
