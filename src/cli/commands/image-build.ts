import { resolve } from 'node:path'
import { quote, RktError } from '../../base/index.ts'
import { buildAci } from '../../store/index.ts'
import { takeOne, usage } from '../arguments.ts'
import type { Context } from '../context.ts'
import type { Invocation } from '../parse/invocation.ts'

/** Builds an ACI from a manifest and a directory, and prints its image ID. */
export async function run(context: Context, invocation: Invocation): Promise<number> {
  const { flags } = invocation
  const out = resolve(context.cwd, takeOne(invocation, 'output file'))
  const compression = flags.text('compression')
  if (compression !== 'none' && compression !== 'gzip') throw usage(invocation, `cannot use --compression=${compression ?? ''}; expected none or gzip`)
  const { id } = await buildAci({
    manifestPath: requiredPath(context, invocation, 'manifest'),
    rootfs: requiredPath(context, invocation, 'rootfs'),
    out,
    compression,
    overwrite: flags.bool('overwrite'),
    mtimeSeconds: sourceDate(context),
    signal: context.signal,
  })
  context.out(id)
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
