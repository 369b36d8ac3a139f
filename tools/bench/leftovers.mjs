// What pods leave on the host: for cases that start many and collect them.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { prepare } from './measure.mjs'

export function podDirectories(place) {
  return readdirSync(join(place.data, 'pods')).flatMap((state) => readdirSync(join(place.data, 'pods', state)))
}

/** Mounts, pod directories, and control groups of these pods that exist now. */
export function leftovers(place, ended) {
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8').split('\n').map((line) => line.split(' ')[4] ?? '').filter((path) => path.startsWith(place.data))
  const groups = prepare(['find', '/sys/fs/cgroup', '-type', 'd', '-name', '*rkt-*']).trim().split('\n')
  return [...mounts, ...podDirectories(place), ...groups.filter((group) => ended.some((uuid) => group.includes(uuid)))]
}
