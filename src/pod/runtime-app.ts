import { posix } from 'node:path'
import { quote, RktError } from '../base/index.ts'
import { type Annotation, type App, type Mount, type RuntimeApp, sanitizeACName } from '../spec/index.ts'
import type { AppArgs, MountRequest } from './app-args.ts'
import { type EnvironmentSources, mergeEnvironment } from './environment.ts'
import { overrideIsolators } from './isolator-flags.ts'

export interface RuntimeAppOptions {
  /** Mounts named before the first image: for every app. */
  readonly podMounts: readonly MountRequest[]
  readonly environment: Pick<EnvironmentSources, 'inherited' | 'file' | 'set'>
  /** Whose ids an app without a section in its image gets. */
  readonly caller: { readonly uid: number; readonly gid: number }
}

/**
 * One app of a pod manifest: the image's app section with the overrides of the command line.
 *
 * @throws RktError `usage` when the image does not say what runs, and for overrides that make no sense.
 */
export function buildRuntimeApp(args: AppArgs, options: RuntimeAppOptions): RuntimeApp {
  const { record, manifest } = args.image
  return {
    name: args.name ?? sanitizeACName(posix.basename(manifest.name)),
    image: { name: record.name, id: record.id, labels: record.labels },
    app: buildApp(args, options),
    readOnlyRootFS: args.readOnlyRootFS ?? false,
    mounts: mergeMounts(args.mounts, options.podMounts),
    annotations: mergeAnnotations(args.annotations),
  }
}

function buildApp(args: AppArgs, options: RuntimeAppOptions): App {
  const ofImage = args.image.manifest.app ?? freshApp(args, options)
  return {
    ...ofImage,
    exec: [...(args.exec === undefined ? ofImage.exec : [args.exec]), ...args.args],
    user: args.user ?? ofImage.user,
    group: args.group ?? ofImage.group,
    supplementaryGIDs: args.supplementaryGIDs ?? ofImage.supplementaryGIDs,
    workingDirectory: args.workingDirectory ?? ofImage.workingDirectory,
    environment: mergeEnvironment({ ...options.environment, image: ofImage.environment, app: args.environment }),
    isolators: overrideIsolators(ofImage.isolators, args.isolators),
    userAnnotations: { ...ofImage.userAnnotations, ...args.userAnnotations },
    userLabels: { ...ofImage.userLabels, ...args.userLabels },
  }
}

function freshApp(args: AppArgs, { caller }: RuntimeAppOptions): App {
  if (args.exec === undefined) {
    throw new RktError('usage', `image ${quote(args.image.manifest.name)} has no app section and --exec argument is not provided`)
  }
  return {
    exec: [],
    user: String(caller.uid),
    group: String(caller.gid),
    supplementaryGIDs: [],
    eventHandlers: [],
    workingDirectory: '',
    environment: [],
    mountPoints: [],
    ports: [],
    isolators: [],
    userAnnotations: {},
    userLabels: {},
  }
}

/** Mounts of the app before those of the pod; of several at one path the first one stands. */
function mergeMounts(ofApp: readonly MountRequest[], ofPod: readonly MountRequest[]): Mount[] {
  const byPath = new Map<string, Mount>()
  for (const { volume, path } of [...ofApp, ...ofPod]) {
    const clean = posix.normalize(path).replace(/(?<=.)\/$/, '')
    if (!byPath.has(clean)) byPath.set(clean, { volume, path })
  }
  return [...byPath.values()]
}

function mergeAnnotations(annotations: readonly Annotation[]): Annotation[] {
  return [...new Map(annotations.map((annotation) => [annotation.name, annotation])).values()]
}
