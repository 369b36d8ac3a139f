import { resolve } from 'node:path'
import { quote } from '../../base/index.ts'
import { isOciReference } from '../../fetch/index.ts'
import { signFile, type GpgSigning } from '../../trust/index.ts'
import { takeOne, usage } from '../arguments.ts'
import type { Context } from '../context.ts'
import type { Invocation } from '../parse/invocation.ts'

/** What GnuPG, its agent and the program that asks for a passphrase need. */
const passedOn = ['HOME', 'PATH', 'LANG', 'TERM', 'GNUPGHOME', 'GPG_TTY', 'DISPLAY', 'WAYLAND_DISPLAY', 'DBUS_SESSION_BUS_ADDRESS', 'XDG_RUNTIME_DIR']

/** Flags that say something of OCI images alone. */
const ociFlags = ['identity', 'detached', 'passphrase-file'] as const

/** Signs an image file, or an OCI image in a registry or layout. */
export async function run(context: Context, invocation: Invocation): Promise<number> {
  const { flags } = invocation
  const text = takeOne(invocation, 'image file')
  const [key, keyFile] = [flags.text('key'), flags.text('key-file')]
  if (key !== undefined && keyFile !== undefined) throw usage(invocation, 'flags --key and --key-file are mutually exclusive')
  const gpg: GpgSigning = {
    key,
    keyFile: keyFile === undefined ? undefined : resolve(context.cwd, keyFile),
    env: Object.fromEntries(passedOn.flatMap((name) => (context.env[name] === undefined ? [] : [[name, context.env[name]]]))),
    temporaryDirectory: context.env['TMPDIR'],
    signal: context.signal,
  }
  if (isOciReference(text)) {
    const { signOci } = await import('../sign-oci.ts')
    await signOci(context, { text, flags, gpg })
    return 0
  }
  const stranger = ociFlags.find((name) => flags.given(name))
  if (stranger !== undefined) throw usage(invocation, `flag --${stranger} is for docker:// and oci: images`)
  const file = resolve(context.cwd, text)
  const { path } = await signFile({ ...gpg, file, out: resolve(context.cwd, flags.text('output') ?? `${file}.asc`), overwrite: flags.bool('overwrite') })
  context.out(`Wrote signature ${quote(path)}`)
  return 0
}
