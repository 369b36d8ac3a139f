import type { BuildAciOptions, BuiltAci } from './build-aci.ts'

/** Makes an image as `./build-aci.ts` does; the writer of archives is loaded by the one command that needs it. */
export async function buildAci(options: BuildAciOptions): Promise<BuiltAci> {
  const writer = await import('./build-aci.ts')
  return await writer.buildAci(options)
}
