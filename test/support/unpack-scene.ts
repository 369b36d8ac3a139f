import { lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ExecutionContext } from 'ava'
import { isRktError, parseDigest, type ErrorCode } from '../../src/base/index.ts'
import { unpackLayer, type UnpackedLayer } from '../../src/store/oci/unpack-layer.ts'
import { unpackAci, type UnpackedAci, type UnpackOptions } from '../../src/store/unpack.ts'
import { mountsBelow, temporaryDirectory } from './temp.ts'

export type UnpackOutcome =
  | { readonly kind: 'unpacked'; readonly image: UnpackedAci | UnpackedLayer }
  | { readonly kind: 'refused'; readonly code: ErrorCode; readonly message: string }

/** A destination `store/ab` and, beside it, a `victim` that no archive may touch. */
export interface UnpackScene extends Disposable {
  readonly victim: string
  /** Path of something in the unpacked `rootfs`. */
  rootfs(...names: readonly string[]): string
  /** Unpacks an archive into an emptied destination. */
  unpack(blob: Uint8Array, options?: Pick<UnpackOptions, 'limits' | 'listingPath'>): Promise<UnpackOutcome>
  /** Path of something beside store and victim. */
  beside(name: string): string
  /** Fails unless the victim, and everything else around the destination, is as it was. */
  assertUntouched(t: ExecutionContext, message?: string): void
}

/** Tells the unpacker by which algorithm a layer is hashed. */
const anyDigest = parseDigest(`sha256:${'0'.repeat(64)}`)

export function unpackScene(format: 'aci' | 'layer' = 'aci'): UnpackScene {
  const place = temporaryDirectory()
  const victim = place.in('victim')
  const destination = place.in('store', 'ab')
  mkdirSync(join(victim, 'd'), { recursive: true })
  writeFileSync(join(victim, 'hello'), 'hello\n', { mode: 0o644 })
  mkdirSync(destination, { recursive: true })
  const before = { victim: snapshot(victim), names: readdirSync(place.path), store: readdirSync(place.in('store')), root: readdirSync('/') }
  return {
    victim,
    rootfs: (...names) => join(destination, 'rootfs', ...names),
    beside: (name) => place.in(name),
    unpack: async (blob, options = {}) => {
      rmSync(destination, { recursive: true, force: true })
      mkdirSync(destination)
      const blobPath = place.in('blob')
      writeFileSync(blobPath, blob)
      try {
        const common = { ...options, blobPath, destination, signal: AbortSignal.timeout(60_000) }
        if (format === 'aci') return { kind: 'unpacked', image: await unpackAci(common) }
        return { kind: 'unpacked', image: await unpackLayer({ listingPath: place.in('layer-listing'), ...common, expected: anyDigest }) }
      } catch (error) {
        if (!isRktError(error)) throw error
        return { kind: 'refused', code: error.code, message: error.message }
      } finally {
        rmSync(blobPath)
        rmSync(place.in('layer-listing'), { force: true })
      }
    },
    assertUntouched: (t, message) => {
      const now = { victim: snapshot(victim), names: readdirSync(place.path), store: readdirSync(place.in('store')), root: readdirSync('/') }
      t.deepEqual(now, before, message)
      t.deepEqual(mountsBelow(place.path), [], message)
    },
    [Symbol.dispose]: () => place[Symbol.dispose](),
  }
}

/** Everything about a tree that an attack could change: names, types, modes, owners, link counts, times, contents. */
export function snapshot(path: string): readonly string[] {
  const st = lstatSync(path, { bigint: true })
  const content = st.isFile() ? readFileSync(path).toString('base64') : st.isSymbolicLink() ? readlinkSync(path) : ''
  const line = `${path} ${st.mode.toString(8)} ${st.uid}:${st.gid} ${st.nlink} ${st.mtimeNs} ${content}`
  if (!st.isDirectory()) return [line]
  return [line, ...readdirSync(path).toSorted().flatMap((name) => snapshot(join(path, name)))]
}
