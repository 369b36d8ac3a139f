import { quote, RktError } from '../base/index.ts'
import type { App, ImageManifest, RuntimeApp } from '../spec/index.ts'

/**
 * What an app of a pod runs: its own section in the pod manifest, else that of its image.
 *
 * @throws RktError `invalid-manifest` when neither has one.
 */
export function effectiveApp(runtime: RuntimeApp, image: ImageManifest): App {
  const app = runtime.app ?? image.app
  if (app === undefined) throw new RktError('invalid-manifest', `cannot use app ${quote(runtime.name)}: no app section in the pod manifest or the image manifest`)
  return app
}
