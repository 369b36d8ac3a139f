import type { App, Port } from './app.ts'
import type { Dependency, ImageManifest } from './image-manifest.ts'
import type { Isolator } from './isolator.ts'
import type { ExposedPort, Mount, PodManifest, RuntimeApp } from './pod-manifest.ts'
import type { Volume } from './volume.ts'

type Json = Readonly<Record<string, unknown>>

/** The JSON value of an image manifest, with the order and the omissions of the original. */
export function imageManifestToJson(manifest: ImageManifest): Json {
  return {
    acKind: manifest.acKind,
    acVersion: manifest.acVersion,
    name: manifest.name,
    ...filled('labels', manifest.labels),
    ...(manifest.app === undefined ? {} : { app: appToJson(manifest.app) }),
    ...filled('annotations', manifest.annotations),
    ...filled('dependencies', manifest.dependencies.map(dependencyToJson)),
    ...filled('pathWhitelist', manifest.pathWhitelist),
  }
}

/** The JSON value of a pod manifest, with the order, the omissions and the nulls of the original. */
export function podManifestToJson(manifest: PodManifest): Json {
  return {
    acVersion: manifest.acVersion,
    acKind: manifest.acKind,
    apps: manifest.apps.map(runtimeAppToJson),
    volumes: orNull(manifest.volumes.map(volumeToJson)),
    isolators: orNull(manifest.isolators.map(isolatorToJson)),
    annotations: orNull(manifest.annotations),
    ports: manifest.ports.map(exposedPortToJson),
    ...sortedMap('userAnnotations', manifest.userAnnotations),
    ...sortedMap('userLabels', manifest.userLabels),
  }
}

function appToJson(app: App): Json {
  return {
    exec: app.exec,
    ...filled('eventHandlers', app.eventHandlers.map(({ name, exec }) => ({ name, exec }))),
    user: app.user,
    group: app.group,
    ...filled('supplementaryGIDs', app.supplementaryGIDs),
    ...(app.workingDirectory === '' ? {} : { workingDirectory: app.workingDirectory }),
    ...filled('environment', app.environment.map(({ name, value }) => ({ name, value }))),
    ...filled('mountPoints', app.mountPoints.map(({ name, path, readOnly }) => ({ name, path, ...(readOnly ? { readOnly } : {}) }))),
    ...filled('ports', app.ports.map(portToJson)),
    ...filled('isolators', app.isolators.map(isolatorToJson)),
    ...sortedMap('userAnnotations', app.userAnnotations),
    ...sortedMap('userLabels', app.userLabels),
  }
}

function portToJson({ name, protocol, port, count, socketActivated }: Port): Json {
  return { name, protocol, port, count, socketActivated }
}

function isolatorToJson({ name, value, optional }: Isolator): Json {
  return { name, value, ...(optional === undefined ? {} : { optional }) }
}

function dependencyToJson({ imageName, imageID, labels, size }: Dependency): Json {
  return { imageName, ...(imageID === undefined ? {} : { imageID }), ...filled('labels', labels), ...(size === 0 ? {} : { size }) }
}

function runtimeAppToJson({ name, image, app, readOnlyRootFS, mounts, annotations }: RuntimeApp): Json {
  return {
    name,
    image: { ...(image.name === undefined ? {} : { name: image.name }), id: image.id, ...filled('labels', image.labels) },
    ...(app === undefined ? {} : { app: appToJson(app) }),
    ...(readOnlyRootFS ? { readOnlyRootFS } : {}),
    ...filled('mounts', mounts.map(mountToJson)),
    ...filled('annotations', annotations),
  }
}

function mountToJson({ volume, path, appVolume }: Mount): Json {
  return { volume, path, ...(appVolume === undefined ? {} : { appVolume: volumeToJson(appVolume) }) }
}

function volumeToJson(volume: Volume): Json {
  const { name, kind, readOnly, recursive } = volume
  return {
    name,
    kind,
    ...(volume.kind === 'host' ? { source: volume.source } : {}),
    ...(readOnly === undefined ? {} : { readOnly }),
    ...(recursive === undefined ? {} : { recursive }),
    ...(volume.kind === 'host' && volume.propagation !== undefined ? { propagation: volume.propagation } : {}),
    ...(volume.kind === 'empty' ? given({ mode: volume.mode, uid: volume.uid, gid: volume.gid }) : {}),
  }
}

function given(members: Readonly<Record<string, string | number | undefined>>): Json {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined))
}

function exposedPortToJson({ name, hostPort, hostIP, podPort }: ExposedPort): Json {
  return { name, hostPort, ...(hostIP === undefined ? {} : { hostIP }), ...(podPort === undefined ? {} : { podPort: portToJson(podPort) }) }
}

function filled(name: string, items: readonly unknown[]): Json {
  return items.length === 0 ? {} : { [name]: items }
}

function orNull(items: readonly unknown[]): readonly unknown[] | null {
  return items.length === 0 ? null : items
}

/** SPEC: encoding/json of Go writes the members of a map in the order of their names. */
function sortedMap(name: string, map: Readonly<Record<string, string>>): Json {
  const entries = Object.entries(map)
  if (entries.length === 0) return {}
  return { [name]: Object.fromEntries(entries.toSorted(([a], [b]) => (a < b ? -1 : 1))) }
}
