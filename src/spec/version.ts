/** Version of the App Container specification that this room implements. */
export const appcVersion = '0.8.11'

const pattern = /^(?:0|[1-9][0-9]{0,8})\.(?:0|[1-9][0-9]{0,8})\.(?:0|[1-9][0-9]{0,8})(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?$/

/** Whether `text` is a semantic version other than `0.0.0`; SPEC: appc 0.8.11 types.md, AC Version Type. */
export function isACVersion(text: string): boolean {
  return text.length <= 255 && pattern.test(text) && text !== '0.0.0'
}
