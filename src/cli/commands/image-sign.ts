import { existsSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import { quote, RktError } from '../../base/index.ts'
import { takeOne, usage } from '../arguments.ts'
import type { Context } from '../context.ts'
import type { Invocation } from '../parse/invocation.ts'
import { signImage } from '../sign-image.ts'

/** What GnuPG, its agent and the program that asks for a passphrase need. */
const passedOn = ['HOME', 'PATH', 'LANG', 'TERM', 'GNUPGHOME', 'GPG_TTY', 'DISPLAY', 'WAYLAND_DISPLAY', 'DBUS_SESSION_BUS_ADDRESS', 'XDG_RUNTIME_DIR']

/** Signs an image file. */
export async function run(context: Context, invocation: Invocation): Promise<number> {
  const { flags } = invocation
  const image = resolve(context.cwd, takeOne(invocation, 'image file'))
  const output = resolve(context.cwd, flags.text('output') ?? `${image}.asc`)
  const [key, keyFile] = [flags.text('key'), flags.text('key-file')]
  if (key !== undefined && keyFile !== undefined) throw usage(invocation, 'flags --key and --key-file are mutually exclusive')
  if (!statSync(image, { throwIfNoEntry: false })?.isFile()) throw new RktError('not-found', `cannot sign image ${quote(image)}: not a regular file`)
  if (existsSync(output) && !flags.bool('overwrite')) throw new RktError('already-exists', `cannot write signature ${quote(output)}: it exists (try --overwrite)`)
  await signImage({
    image,
    output,
    key,
    keyFile: keyFile === undefined ? undefined : resolve(context.cwd, keyFile),
    env: Object.fromEntries(passedOn.flatMap((name) => (context.env[name] === undefined ? [] : [[name, context.env[name]]]))),
    signal: context.signal,
  })
  context.out(`Wrote signature ${quote(output)}`)
  return 0
}
