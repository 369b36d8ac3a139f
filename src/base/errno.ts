/** Whether `error` is a system error with one of the given names, such as `ENOENT`. */
export function isErrno(error: unknown, ...names: readonly string[]): error is NodeJS.ErrnoException {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && names.includes(error.code)
}

/** The text after which a person can search: `ENOENT: no such file or directory`, without call and path. */
export function errorText(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const match = /^([A-Z][A-Z0-9]+: [^,]+), /.exec(error.message)
  return match?.[1] ?? error.message
}
