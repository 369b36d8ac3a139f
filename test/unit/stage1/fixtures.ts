import { type App, readImageManifest } from '../../../src/spec/index.ts'

/** An app of an image that says nothing but what to execute, with what a test adds. */
export function plainApp(more: Partial<App> = {}): App {
  const { app } = readImageManifest(
    Buffer.from(
      JSON.stringify({ acKind: 'ImageManifest', acVersion: '0.8.11', name: 'example.com/plain', app: { exec: ['/bin/true'], user: '0', group: '0' } }),
    ),
  )
  if (app === undefined) throw new Error('the fixture has an app')
  return { ...app, ...more }
}
