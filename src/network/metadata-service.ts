import type { RegisterOptions } from './metadata/register.ts'
import type { ServeOptions } from './metadata/serve.ts'

/** Registers a pod with the metadata service; gives the URL for its apps. Node's HTTP is loaded only then. */
export async function registerPod(options: RegisterOptions): Promise<string> {
  const { registerPod: register } = await import('./metadata/register.ts')
  return await register(options)
}

/** Serves pods and apps until the signal comes. */
export async function serveMetadata(options: ServeOptions): Promise<void> {
  const { serveMetadata: serve } = await import('./metadata/serve.ts')
  await serve(options)
}
