import { makePodman } from '../podman.mjs'
import { round, sideBySide } from '../measure.mjs'
import { imageName } from '../place.mjs'

export const title = 'run --rm --net=none of a fetched busybox true'

export function measure(place, runs) {
  const podman = makePodman(place)
  const results = sideBySide(
    place.timer,
    {
      rkt: { argv: [...place.rktFlags(place.data), 'run', '--rm', '--net=none', '--pull-policy=never', imageName] },
      podman: { argv: podman.run('--rm', ['/bin/true']), env: podman.env },
      node: { argv: [process.execPath, '-e', '0'] },
    },
    runs,
  )
  const { rkt, podman: peer, node } = results
  return {
    results,
    rows: [
      { what: `${title}, ms`, ours: round(rkt.ms), peer: 'podman --runtime runc', theirs: round(peer.ms), budget: round(peer.ms * 0.5), rule: '0.5 × podman' },
      { what: `${title}, ms`, ours: round(rkt.ms), peer: 'node -e 0', theirs: round(node.ms), budget: round(node.ms + 45), rule: 'node + 45 ms' },
    ],
  }
}
