/** A text as one word of a shell, for commands that messages name. */
export function shellWord(text: string): string {
  return /^[\w./:=@%+,~-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`
}
