import type { FileHandle } from 'node:fs/promises'
import { quote, RktError } from '../../../base/index.ts'
import { readHeader, type Member } from './tar-header.ts'

/** Where a file of an archive is; a link leads to another name. */
export type ArchiveEntry = { readonly kind: 'file'; readonly start: number; readonly size: number } | { readonly kind: 'link'; readonly target: string }

const blockBytes = 512
const maxEntries = 10_000
const maxExtensionBytes = 65_536

/**
 * Finds the files of an image archive without reading what is in them. Strict: names once each, checksums right, sizes inside the
 * file, an end mark; what only some readers understand is refused.
 *
 * @throws RktError `invalid-archive`.
 */
export async function indexArchive(file: FileHandle, path: string): Promise<ReadonlyMap<string, ArchiveEntry>> {
  const refuse = (state: string): RktError => new RktError('invalid-archive', `cannot read image archive ${quote(path)}: ${state}`)
  const { size: totalBytes } = await file.stat()
  const entries = new Map<string, ArchiveEntry>()
  let extension: Extension = {}
  let position = 0
  for (;;) {
    const block = await readAt(file, { position, length: blockBytes })
    if (block.byteLength < blockBytes) throw refuse('it ends without an end mark')
    position += blockBytes
    if (block.every((byte) => byte === 0)) return entries
    const member = readHeader(block)
    if (typeof member === 'string') throw refuse(member)
    const size = extension.size ?? member.size
    const start = position
    position += Math.ceil(size / blockBytes) * blockBytes
    if (!Number.isSafeInteger(position) || start + size > totalBytes) throw refuse(`a member of ${size} bytes goes past its end`)
    if (member.kind === 'pax' || member.kind === 'long-name' || member.kind === 'long-link') {
      if (size > maxExtensionBytes) throw refuse('an extension header is too large')
      const next = readExtension(member.kind, await readAt(file, { position: start, length: size }))
      if (next === undefined) throw refuse('an extension header cannot be read')
      extension = { ...extension, ...next }
      continue
    }
    addEntry(entries, { member, name: cleanName(extension.path ?? member.name), link: extension.linkPath ?? member.link, start, size, refuse })
    if (entries.size > maxEntries) throw refuse(`more than ${maxEntries} members`)
    extension = {}
  }
}

interface Extension {
  readonly path?: string
  readonly linkPath?: string
  readonly size?: number
}

interface Adding {
  readonly member: Member
  readonly name: string | undefined
  readonly link: string
  readonly start: number
  readonly size: number
  readonly refuse: (state: string) => RktError
}

function addEntry(entries: Map<string, ArchiveEntry>, { member, name, link, start, size, refuse }: Adding): void {
  if (member.kind === 'directory' || member.kind === 'other') return
  if (name === undefined) throw refuse('a member has a name outside of the archive')
  if (entries.has(name)) throw refuse(`the name ${quote(name)} is there twice`)
  if (member.kind === 'file') entries.set(name, { kind: 'file', start, size })
  else {
    const target = cleanName(member.kind === 'hard-link' || link.startsWith('/') ? link : `${name.slice(0, name.lastIndexOf('/') + 1)}${link}`)
    if (target !== undefined) entries.set(name, { kind: 'link', target })
  }
}

/** Without `.` and `..`; undefined when that leads outside. */
function cleanName(name: string): string | undefined {
  const parts: string[] = []
  for (const part of name.split('/')) {
    if (part === '..' && parts.pop() === undefined) return undefined
    if (part !== '' && part !== '.' && part !== '..') parts.push(part)
  }
  return name.startsWith('/') || parts.length === 0 ? undefined : parts.join('/')
}

function readExtension(kind: 'pax' | 'long-name' | 'long-link', bytes: Uint8Array): Extension | undefined {
  if (kind !== 'pax') {
    const text = Buffer.from(bytes).toString().replace(/\0+$/, '')
    return text.includes('\0') ? undefined : kind === 'long-name' ? { path: text } : { linkPath: text }
  }
  const found: { path?: string; linkPath?: string; size?: number } = {}
  let at = 0
  while (at < bytes.byteLength) {
    const [, digits = ''] = /^([1-9][0-9]{0,7}) /.exec(Buffer.from(bytes.subarray(at, at + 9)).toString('latin1')) ?? []
    const end = at + Number(digits)
    const record = Buffer.from(bytes.subarray(at + digits.length + 1, end)).toString()
    if (digits === '' || end > bytes.byteLength || !record.endsWith('\n') || record.includes('\0')) return undefined
    const equals = record.indexOf('=')
    const value = record.slice(equals + 1, -1)
    if (equals < 1) return undefined
    switch (record.slice(0, equals)) {
      case 'path':
        found.path = value
        break
      case 'linkpath':
        found.linkPath = value
        break
      case 'size':
        if (!/^[0-9]{1,15}$/.test(value)) return undefined
        found.size = Number(value)
    }
    at = end
  }
  return found
}

async function readAt(file: FileHandle, { position, length }: { readonly position: number; readonly length: number }): Promise<Buffer> {
  const buffer = Buffer.alloc(length)
  let done = 0
  while (done < length) {
    const { bytesRead } = await file.read(buffer, done, length - done, position + done)
    if (bytesRead === 0) break
    done += bytesRead
  }
  return buffer.subarray(0, done)
}
