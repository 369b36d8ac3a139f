const asidePrefix = 'RKT_CALLER_ENV_'

/**
 * The environment as the caller gave it: without what the front-end and its launcher say to each other, and with the variables that
 * the front-end kept from Node (src/native/front-end.c) under their own names.
 */
export function callerEnvironment(env: Readonly<Record<string, string | undefined>>): { name: string; value: string }[] {
  return Object.entries(env).flatMap(([name, value]) => {
    if (value === undefined || name === 'RKT_CALLER_FD' || name === 'RKT_ROOTLESS') return []
    return [{ name: name.startsWith(asidePrefix) ? name.slice(asidePrefix.length) : name, value }]
  })
}
