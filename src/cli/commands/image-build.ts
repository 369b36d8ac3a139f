import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { quote, RktError } from '../../base/index.ts'
import { readImageManifest } from '../../spec/index.ts'
import { takeOne, usage } from '../arguments.ts'
import { buildImage } from '../build-image.ts'
import type { Context } from '../context.ts'
import type { Invocation } from '../parse/invocation.ts'

/** Builds an ACI from a manifest and a directory. */
export async function run(context: Context, invocation: Invocation): Promise<number> {
  const { flags } = invocation
  const output = resolve(context.cwd, takeOne(invocation, 'output file'))
  const manifestPath = requiredPath(context, invocation, 'manifest')
  const rootfs = requiredPath(context, invocation, 'rootfs')
  const compression = flags.text('compression')
  if (compression !== 'none' && compression !== 'gzip') throw usage(invocation, `cannot use --compression=${compression ?? ''}; expected none or gzip`)
  if (!output.endsWith('.aci')) throw new RktError('usage', `extension must be .aci (given ${quote(output)})`)
  if (existsSync(output) && !flags.bool('overwrite')) throw new RktError('already-exists', `output ACI file exists (try --overwrite)`)
  const manifest = readFileSync(manifestPath)
  readImageManifest(manifest)
  await buildImage({ manifest, rootfs, output, compression, timeSeconds: sourceDate(context), signal: context.signal })
  return 0
}

function requiredPath(context: Context, invocation: Invocation, name: string): string {
  const path = invocation.flags.text(name)
  if (path === undefined || path === '') throw usage(invocation, `--${name} must be given`)
  return resolve(context.cwd, path)
}

/** The time of every member: `SOURCE_DATE_EPOCH`, as other tools for reproducible builds read it, else 1970. */
function sourceDate(context: Context): number {
  const text = context.env['SOURCE_DATE_EPOCH'] ?? '0'
  if (!/^\d{1,11}$/.test(text)) throw new RktError('usage', `cannot use SOURCE_DATE_EPOCH ${quote(text)}: expected seconds since 1970`)
  return Number(text)
}
