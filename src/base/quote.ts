/**
 * Quotes a value from outside for one line of a terminal: double quotes, and every control, format, or bidirectional character
 * escaped, so that no image, server or file name can move the cursor or reorder text.
 */
export function quote(text: string): string {
  return `"${escapeText(text).replaceAll('"', '\\"')}"`
}

/** As `quote`, without the quotes: for cells of tables. Backslashes are doubled so that the result stays unambiguous. */
export function escapeText(text: string): string {
  return text
    .replaceAll('\\', '\\\\')
    .replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]/gu, (char) => {
      const known = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }[char]
      return known ?? `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`
    })
}
