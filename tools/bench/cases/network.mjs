import { spawn } from 'node:child_process'
import { environment, median, prepare, round, sideBySide } from '../measure.mjs'
import { inNetworkNamespace } from '../network-namespace.mjs'
import { imageName } from '../place.mjs'
import { makePodman } from '../podman.mjs'

export const title = 'run --rm of a fetched busybox true on the default network'
const pods = 20

export async function measure(place, runs) {
  const podman = makePodman(place)
  return await inNetworkNamespace(async (inside) => {
    const run = [...inside, ...place.rktFlags(place.data), 'run', '--net=default', '--pull-policy=never']
    const results = sideBySide(
      place.timer,
      {
        rkt: { argv: [...run, '--rm', imageName] },
        podman: { argv: [...inside, ...podman.runOn('bridge', '--rm', ['/bin/true'])], env: podman.env },
      },
      runs,
    )
    const together = []
    for (let index = -1; index < Math.min(runs, 5); index += 1) {
      const ms = await startTogether([...run, imageName])
      prepare([...inside, ...place.rktFlags(place.data), 'gc', '--grace-period=0s'])
      checkNothingLeft(inside)
      if (index >= 0) together.push(ms)
    }
    const { rkt, podman: peer } = results
    const twenty = median(together)
    return {
      results: { ...results, twenty: { ms: twenty, samplesMs: together.map(round) } },
      rows: [
        { what: `${title}, ms`, ours: round(rkt.ms), peer: 'podman, its bridge', theirs: round(peer.ms), budget: round(peer.ms * 0.5), rule: '0.5 × podman' },
        { what: '20 pods with a network at once, ms', ours: round(twenty), peer: 'one pod', theirs: round(rkt.ms), budget: round(rkt.ms * pods), rule: '20 × one; gc leaves nothing' },
      ],
    }
  })
}

async function startTogether([program, ...rest]) {
  const start = performance.now()
  const statuses = await Promise.all(
    Array.from({ length: pods }, () => new Promise((resolve) => spawn(program, rest, { env: environment, stdio: 'ignore' }).once('exit', resolve))),
  )
  if (statuses.some((status) => status !== 0)) throw new Error(`pods ended with ${statuses.join(' ')}`)
  return performance.now() - start
}

/** Links, addresses that are given out, and packet rules of pods. */
function checkNothingLeft(inside) {
  const look = 'ip -brief link | grep veth; ls /run/rkt/networks/default | grep "^[0-9]"; nft list tables | grep rkt-; iptables-save -t nat | grep CNI-; true'
  const left = prepare([...inside, 'sh', '-c', look])
  if (left.trim() !== '') throw new Error(`gc left behind:\n${left}`)
}
