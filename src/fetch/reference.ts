import { statSync } from 'node:fs'
import { isAbsolute, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { isErrno, quote, RktError } from '../base/index.ts'
import { identifierOf, parseACIdentifier, parseDockerReference, type ACIdentifier, type Label } from '../spec/index.ts'
import { isOciReference, parseOciReference, type OciReference } from './oci/reference.ts'

/** What a user may write to name an image. */
export type Reference =
  | { readonly kind: 'hash'; readonly text: string }
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'url'; readonly url: string }
  | { readonly kind: 'oci'; readonly source: OciReference }
  | { readonly kind: 'name'; readonly name: ACIdentifier; readonly labels: readonly Label[] }

/** ATTACK: patterns that look ahead and back take their time with long texts. */
const longestReference = 8192

export interface ParseReferenceOptions {
  /** Absolute directory against which relative paths are read. */
  readonly cwd: string
}

/**
 * Tells the kinds apart in the order of the original: `sha512-…`, or `sha256:…` of an OCI image; absolute path or existing file; something with a colon is a URL or
 * a name with a version; something with `./` or ending in `.aci` is a path; else a name.
 *
 * @throws RktError `invalid-reference`.
 */
export function parseReference(text: string, options: ParseReferenceOptions): Reference {
  if (text === '') throw new RktError('invalid-reference', 'cannot use image reference "": it is empty')
  if (text.length > longestReference) {
    throw new RktError('invalid-reference', `cannot use an image reference of ${text.length} characters; expected at most ${longestReference}`)
  }
  if (text.includes('\0')) throw new RktError('invalid-reference', `cannot use image reference ${quote(text)}: it holds a NUL`)
  if (text.startsWith('sha512-') || /^sha256:[0-9a-f]{2,64}$/.test(text)) return { kind: 'hash', text }
  const path = resolve(options.cwd, text)
  if (isAbsolute(text) || isFile(path)) return { kind: 'file', path }
  if (isOciReference(text)) return { kind: 'oci', source: parseOciReference(text, options) }
  if (text.includes(':')) return parseWithColon(text)
  if (text.includes('./') || text.endsWith('.aci')) return { kind: 'file', path }
  return parseName(text)
}

function parseWithColon(text: string): Reference {
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text)?.[1]?.toLowerCase()
  switch (scheme) {
    case undefined:
      return parseName(text)
    case 'http':
    case 'https':
      return { kind: 'url', url: parseImageURL(text) }
    case 'file':
      return { kind: 'file', path: pathOfFileURL(text) }
    default:
      throw new RktError('invalid-reference', `cannot use image reference ${quote(text)}: unknown scheme "${scheme}"; expected https, file, docker, oci, oci-archive or docker-archive`)
  }
}

/** The URL in its normal form; nothing is fetched that does not call itself an ACI. */
function parseImageURL(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || url.hostname === '') throw new RktError('invalid-reference', `cannot use image URL ${quote(text)}: not a URL`)
  if (url.username !== '' || url.password !== '') {
    throw new RktError('invalid-reference', `cannot use image URL for host ${quote(url.host)}: it holds a user name or password`)
  }
  if (!url.pathname.endsWith('.aci')) {
    throw new RktError('invalid-reference', `cannot use image URL ${quote(text)}: not an ACI; expected a path that ends in ".aci"`)
  }
  url.hash = ''
  return url.href
}

function pathOfFileURL(text: string): string {
  try {
    return fileURLToPath(text)
  } catch (cause) {
    throw new RktError('invalid-reference', `cannot use image reference ${quote(text)}: expected file:///ABSOLUTE/PATH`, { cause })
  }
}

/**
 * `name[:version][,label=value…]`; a label may be given once. The name may be one of a registry with a port, `localhost:5000/app`, which
 * stands for the identifier under which its images are stored.
 */
function parseName(text: string): Reference {
  const [head = '', ...pairs] = text.split(',')
  const labels: Label[] = []
  const slash = head.indexOf('/')
  const hasPort = slash >= 0 && slash < head.length - 1 && /:[0-9]/.test(head.slice(0, slash))
  const registry = hasPort ? parseDockerReference(head) : undefined
  const colon = registry === undefined ? head.indexOf(':') : -1
  const name = registry === undefined ? parseACIdentifier(colon < 0 ? head : head.slice(0, colon)) : identifierOf(registry)
  const version = registry === undefined ? (colon < 0 ? undefined : head.slice(colon + 1)) : registry.tag
  if (version !== undefined) addLabel(labels, { text, pair: `version=${version}` })
  for (const pair of pairs) addLabel(labels, { text, pair })
  return { kind: 'name', name, labels }
}

function addLabel(labels: Label[], { text, pair }: { readonly text: string; readonly pair: string }): void {
  const equals = pair.indexOf('=')
  const value = pair.slice(equals + 1)
  if (equals < 1 || value === '') {
    throw new RktError('invalid-reference', `cannot use image name ${quote(text)}: expected NAME[:VERSION][,LABEL=VALUE]`)
  }
  const name = parseACIdentifier(pair.slice(0, equals))
  if (name === 'name') throw new RktError('invalid-reference', `cannot use image name ${quote(text)}: "name" is not a label`)
  if (labels.some((label) => label.name === name)) {
    throw new RktError('invalid-reference', `cannot use image name ${quote(text)}: label ${quote(name)} is given more than once`)
  }
  labels.push({ name, value })
}

/** The name as a person writes it: `name[:version][,label=value…]`. */
export function formatName(name: string, labels: readonly Label[]): string {
  const version = labels.find((label) => label.name === 'version')
  const rest = labels.filter((label) => label !== version).map((label) => `,${label.name}=${label.value}`)
  return `${name}${version === undefined ? '' : `:${version.value}`}${rest.join('')}`
}

function isFile(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false
  } catch (error) {
    // A text that no file can be called is none, and one that leads through what the caller may not search is not asked for.
    if (isErrno(error, 'ENAMETOOLONG', 'EACCES', 'ELOOP')) return false
    throw error
  }
}
