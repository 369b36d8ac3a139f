import { resolve } from 'node:path'
import { quote } from '../../base/index.ts'
import { signFile } from '../../trust/index.ts'
import { takeOne, usage } from '../arguments.ts'
import type { Context } from '../context.ts'
import type { Invocation } from '../parse/invocation.ts'

/** What GnuPG, its agent and the program that asks for a passphrase need. */
const passedOn = ['HOME', 'PATH', 'LANG', 'TERM', 'GNUPGHOME', 'GPG_TTY', 'DISPLAY', 'WAYLAND_DISPLAY', 'DBUS_SESSION_BUS_ADDRESS', 'XDG_RUNTIME_DIR']

/** Signs an image file. */
export async function run(context: Context, invocation: Invocation): Promise<number> {
  const { flags } = invocation
  const file = resolve(context.cwd, takeOne(invocation, 'image file'))
  const [key, keyFile] = [flags.text('key'), flags.text('key-file')]
  if (key !== undefined && keyFile !== undefined) throw usage(invocation, 'flags --key and --key-file are mutually exclusive')
  const { path } = await signFile({
    file,
    key,
    keyFile: keyFile === undefined ? undefined : resolve(context.cwd, keyFile),
    out: resolve(context.cwd, flags.text('output') ?? `${file}.asc`),
    overwrite: flags.bool('overwrite'),
    env: Object.fromEntries(passedOn.flatMap((name) => (context.env[name] === undefined ? [] : [[name, context.env[name]]]))),
    temporaryDirectory: context.env['TMPDIR'],
    signal: context.signal,
  })
  context.out(`Wrote signature ${quote(path)}`)
  return 0
}
