import { constants, copyFileSync, existsSync, mkdirSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { limits, lockDescriptor, parseStrictJson, quote, RktError, writeDurably } from '../../../base/index.ts'
import type { OciDescriptor, OciTarget } from '../../../spec/index.ts'
import { digestOf } from '../digest.ts'
import { descriptorToJson, referrerOf } from '../referrer-list.ts'
import type { LocalOciReference } from '../reference.ts'
import type { OciSourceOptions } from '../source.ts'
import { openDirectoryFiles } from './directory-files.ts'
import { readWhole } from './files.ts'
import { openLayout } from './layout.ts'
import { readLayoutIndex } from './layout-index.ts'
import { layoutBlobName } from './receive.ts'

const refName = 'org.opencontainers.image.ref.name'

/** An image layout in a directory, for writing; made when there is none. @throws RktError `io`. */
export async function openLayoutTarget(reference: LocalOciReference, options: OciSourceOptions): Promise<OciTarget & AsyncDisposable> {
  const { path } = reference
  mkdirSync(path, { recursive: true })
  if (!existsSync(join(path, 'index.json'))) {
    writeDurably(join(path, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}', { mode: 0o644 })
    writeDurably(join(path, 'index.json'), '{"schemaVersion":2,"manifests":[]}', { mode: 0o644 })
  }
  const source = await openLayout(reference, options)
  const blobFile = (descriptor: Pick<OciDescriptor, 'digest'>): string => {
    const file = join(path, layoutBlobName(descriptor))
    mkdirSync(dirname(file), { recursive: true })
    return file
  }
  const putBytes = async (bytes: Uint8Array, mediaType: string): Promise<OciDescriptor> => {
    const descriptor = { mediaType, digest: digestOf(bytes), size: bytes.byteLength, urls: [], annotations: {} }
    const file = blobFile(descriptor)
    if (!existsSync(file)) writeDurably(file, bytes, { mode: 0o644 })
    return descriptor
  }
  return {
    manifest: (tagOrDigest) => source.manifest(tagOrDigest),
    referrers: (subject, artifactType) => source.referrers(subject, artifactType),
    smallBlob: (descriptor) => source.smallBlob(descriptor),
    extensionSignatures: (subject) => source.extensionSignatures(subject),
    putBytes,
    putFile: async (descriptor, from) => {
      const file = blobFile(descriptor)
      if (!existsSync(file)) copyFileSync(from, file, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE)
    },
    putManifest: async (bytes, { mediaType, tag }) => {
      const descriptor = await putBytes(bytes, mediaType)
      await addEntry(path, { entry: referrerOf(bytes, descriptor)?.entry ?? descriptor, tag })
      return descriptor
    },
    [Symbol.asyncDispose]: () => source[Symbol.asyncDispose](),
  }
}

/** The index keeps what it says, also what we do not know; a name leads to one entry. */
async function addEntry(path: string, { entry, tag }: { readonly entry: OciDescriptor; readonly tag: string | undefined }): Promise<void> {
  await using directory = await open(path, constants.O_RDONLY | constants.O_DIRECTORY)
  lockDescriptor(directory.fd, { mode: 'exclusive', wait: 'block' })
  await using files = await openDirectoryFiles(path)
  await readLayoutIndex(files)
  const tooLarge = (): RktError => new RktError('limit-exceeded', `cannot write index of ${quote(path)}: expected at most ${limits.jsonBytes} bytes`)
  const bytes = (await readWhole(files, { name: 'index.json', maxBytes: limits.jsonBytes, tooLarge })) ?? new Uint8Array()
  const json = parseStrictJson(bytes, { what: `index of ${quote(path)}` })
  if (typeof json !== 'object' || json === null || !('manifests' in json) || !Array.isArray(json.manifests)) {
    throw new RktError('invalid-manifest', `cannot write index of ${quote(path)}: it has no list of manifests`)
  }
  const named = { ...entry, annotations: { ...entry.annotations, ...(tag === undefined ? {} : { [refName]: tag }) } }
  const others = json.manifests.filter((one: unknown) => !replaces(named, { one, tag }))
  writeDurably(join(path, 'index.json'), JSON.stringify({ ...json, manifests: [...others, descriptorToJson(named)] }), { mode: 0o644 })
}

function replaces({ digest }: OciDescriptor, { one, tag }: { readonly one: unknown; readonly tag: string | undefined }): boolean {
  if (typeof one !== 'object' || one === null || !('digest' in one)) return false
  const annotations: unknown = 'annotations' in one ? one.annotations : undefined
  const name: unknown = typeof annotations === 'object' && annotations !== null && refName in annotations ? annotations[refName] : undefined
  return name === tag && (tag !== undefined || one.digest === digest)
}
