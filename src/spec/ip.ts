/** Whether `text` is an IPv4 or IPv6 address in text, without zone or prefix length. */
export function isIPAddress(text: string): boolean {
  return isIPv4(text) || isIPv6(text)
}

/** Whether `text` is four decimal numbers below 256, without leading zeros. */
export function isIPv4(text: string): boolean {
  const parts = text.split('.')
  return parts.length === 4 && parts.every((part) => /^(?:0|[1-9][0-9]{0,2})$/.test(part) && Number(part) < 256)
}

/** SPEC: RFC 4291 section 2.2. */
function isIPv6(text: string): boolean {
  if (text.length > 45) return false
  const halves = text.split('::')
  if (halves.length > 2) return false
  const groups = halves.flatMap((half) => (half === '' ? [] : half.split(':')))
  const last = groups.at(-1)
  const embedded = last?.includes('.') === true
  if (embedded && (text.endsWith('::') || !isIPv4(last))) return false
  const hex = embedded ? groups.slice(0, -1) : groups
  if (!hex.every((group) => /^[0-9a-fA-F]{1,4}$/.test(group))) return false
  const length = hex.length + (embedded ? 2 : 0)
  return halves.length === 2 ? length < 8 : length === 8
}
