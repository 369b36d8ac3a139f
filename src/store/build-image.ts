import type { BuildAciOptions, BuiltAci } from './build-aci.ts'
import type { WriteAciOptions, WrittenAci } from './write-aci.ts'

/** Makes an image as `./build-aci.ts` does; the writer of archives is loaded by the commands that need it. */
export async function buildAci(options: BuildAciOptions): Promise<BuiltAci> {
  const writer = await import('./build-aci.ts')
  return await writer.buildAci(options)
}

/** Writes an image as `./write-aci.ts` does. */
export async function writeAci(options: WriteAciOptions): Promise<WrittenAci> {
  const writer = await import('./write-aci.ts')
  return await writer.writeAci(options)
}
