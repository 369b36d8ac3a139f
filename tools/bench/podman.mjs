// Podman with all its state below one directory, as a peer.
import { mkdirSync, rmdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { environment, prepare } from './measure.mjs'

const image = 'localhost/bench'

/** Podman leaves the parent group of its containers behind; this one is ours to remove. */
const parentGroup = 'rkt-bench-podman'

/** Imports the busybox tree as an image, once for each place; `run()` gives the command line of a container without a network, `runOn()` of one on a network. */
export function makePodman(place) {
  place.podman ??= importTree(place)
  return place.podman
}

function importTree(place) {
  const home = join(place.tmpfs, 'podman')
  mkdirSync(home)
  const state = [`--root=${join(home, 'root')}`, `--runroot=${join(home, 'run')}`, `--tmpdir=${join(home, 'tmp')}`]
  const base = ['podman', ...state, '--storage-driver=overlay', '--cgroup-manager=cgroupfs', '--events-backend=none', '--runtime=runc']
  const env = { ...environment, HOME: home, XDG_RUNTIME_DIR: home, TMPDIR: home }
  const archive = join(home, 'busybox.tar')
  prepare(['tar', '--create', `--file=${archive}`, `--directory=${place.busyboxTree}`, '.'])
  prepare([...base, 'import', archive, image], { env })
  const limits = ['--ulimit=nofile=1024:1024', '--ulimit=nproc=1000:1000']
  const runOn = (network, ...rest) => [...base, 'run', ...limits, `--network=${network}`, `--cgroup-parent=/${parentGroup}`, ...rest.slice(0, -1), image, ...rest.slice(-1).flat()]
  return {
    env,
    run: (...rest) => runOn('none', ...rest),
    runOn,
    command: (...rest) => prepare([...base, ...rest], { env }),
  }
}

/** Removes the control groups that podman left, as soon as its last monitor has ended. */
export async function removePodmanGroups() {
  const groups = prepare(['find', '/sys/fs/cgroup', '-depth', '-type', 'd', '-path', `*/${parentGroup}*`]).split('\n')
  for (const group of groups) if (group !== '') await removeGroup(group, 5000)
}

async function removeGroup(group, patienceMs) {
  try {
    rmdirSync(group)
  } catch (error) {
    if (error.code !== 'EBUSY' || patienceMs <= 0) throw error
    await sleep(50)
    await removeGroup(group, patienceMs - 50)
  }
}
