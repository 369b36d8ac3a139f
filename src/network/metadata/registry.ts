import { createHash, timingSafeEqual } from 'node:crypto'
import type { PodUUID } from '../../base/index.ts'
import type { ACName, Annotation, ImageManifest, PodManifest } from '../../spec/index.ts'

/** A document as it was received, and what it says. */
export interface Registered<T> {
  readonly bytes: Uint8Array
  readonly value: T
}

/** What the metadata service knows of one pod. */
export interface RegisteredPod {
  readonly uuid: PodUUID
  readonly manifest: Registered<PodManifest>
  /** Image manifests by name of the app. */
  readonly images: Map<ACName, Registered<ImageManifest>>
}

/** The pods that have registered, found by UUID when they change and by token when their apps ask. */
export class Registry {
  readonly #byUuid = new Map<PodUUID, { readonly pod: RegisteredPod; readonly tokenKey: string }>()
  readonly #byToken = new Map<string, RegisteredPod>()

  /** Adds a pod, in the place of one with its UUID; false when another pod has the token. */
  add(pod: RegisteredPod, token: string): boolean {
    const tokenKey = keyOf(token)
    const other = this.#byToken.get(tokenKey)
    if (other !== undefined && other.uuid !== pod.uuid) return false
    this.remove(pod.uuid)
    this.#byUuid.set(pod.uuid, { pod, tokenKey })
    this.#byToken.set(tokenKey, pod)
    return true
  }

  byUuid(uuid: PodUUID): RegisteredPod | undefined {
    return this.#byUuid.get(uuid)?.pod
  }

  byToken(token: string): RegisteredPod | undefined {
    return this.#byToken.get(keyOf(token))
  }

  /** Forgets a pod; false when there is none. */
  remove(uuid: PodUUID): boolean {
    const known = this.#byUuid.get(uuid)
    if (known === undefined) return false
    this.#byToken.delete(known.tokenKey)
    return this.#byUuid.delete(uuid)
  }
}

/** ATTACK: how long a look-up takes tells of the digest, and so nothing of the tokens that exist. */
function keyOf(token: string): string {
  return createHash('sha256').update(token).digest('hex')
}

/** Annotations of an app: those of the image, and over them those of the pod. */
export function appAnnotations(image: readonly Annotation[], app: readonly Annotation[]): readonly Annotation[] {
  const merged = new Map([...image, ...app].map((annotation) => [annotation.name, annotation]))
  return [...merged.values()]
}

/** Whether two byte strings are equal, in a time that tells only of their lengths. */
export function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.byteLength === b.byteLength && timingSafeEqual(a, b)
}
