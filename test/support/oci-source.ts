import { parseDigest, silentLog, type Log } from '../../src/base/index.ts'
import { openOciSource, parseOciReference, type OciSource, type OciSourceOptions } from '../../src/fetch/index.ts'
import type { OciDescriptor, OciPlatform } from '../../src/spec/index.ts'
import type { CraftedBlob } from './oci-image.ts'

export const linuxAmd64: OciPlatform = { os: 'linux', architecture: 'amd64', variant: '' }

export interface OpenSourceOptions extends Partial<OciSourceOptions> {
  readonly cwd?: string
}

/** A source as a command opens it, trusting the given certificates and nothing else out of the ordinary. */
export function openSource(text: string, { cwd = '/', ...options }: OpenSourceOptions = {}): Promise<OciSource> {
  return openOciSource(parseOciReference(text, { cwd }), sourceOptions(options))
}

export function sourceOptions(options: Partial<OciSourceOptions> = {}): OciSourceOptions {
  return { signal: new AbortController().signal, log: silentLog, userAgent: 'rkt test', insecure: { tls: false, http: false }, idleMs: 3000, ...options }
}

/** A log that keeps what it is told with `--debug`. */
export function keepingLog(): Log & { readonly lines: string[] } {
  const lines: string[] = []
  return { ...silentLog, lines, debug: (_, message) => void lines.push(message) }
}

/** A crafted blob as a manifest names it. */
export function descriptorOf({ mediaType, digest, size }: CraftedBlob): OciDescriptor {
  return { mediaType, digest: parseDigest(digest), size, urls: [], annotations: {} }
}
