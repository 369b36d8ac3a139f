import { type KeyValue, type PodFilter, type PodMessage, podStates } from '../messages/index.ts'

/** Whether a pod satisfies every condition of a filter. */
export function matchesPod(pod: PodMessage, filter: PodFilter): boolean {
  return (
    any(filter.ids, (id) => id === pod.id) &&
    any(filter.states, (state) => state !== podStates.undefined && state === pod.state) &&
    filter.appNames.every((name) => pod.apps.some((app) => app.name === name)) &&
    filter.imageIDs.every((id) => pod.apps.some((app) => app.image.id === id)) &&
    filter.networkNames.every((name) => pod.networks.some((network) => network.name === name)) &&
    containsAll(pod.annotations, filter.annotations) &&
    any(filter.cgroups, (group) => pod.cgroup !== '' && absolute(group) === pod.cgroup) &&
    any(filter.podSubCgroups, (group) => pod.cgroup !== '' && `${absolute(group)}/`.startsWith(`${pod.cgroup}/`))
  )
}

/** Whether one of the wanted is there; nothing wanted is always there. */
export function any<T>(wanted: readonly T[], found: (one: T) => boolean): boolean {
  return wanted.length === 0 || wanted.some(found)
}

export function containsAll(actual: readonly KeyValue[], wanted: readonly KeyValue[]): boolean {
  return wanted.every(({ key, value }) => actual.some((one) => one.key === key && one.value === value))
}

/** The kernel writes a group with a slash before it, `subcgroup` of a pod has none. */
function absolute(group: string): string {
  return `/${group.replace(/^\/+|\/+$/g, '')}`
}
