// Kills `rkt run --net=default` at random moments inside a network and mount namespace that the test made, collects, and prints what is
// left. Usage: network-crash-probe.js DATA-DIRECTORY IMAGE ROUNDS
import { execFileSync, spawn } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { rktProgram } from '../support/paths.ts'
import { placeFlags, rkt } from '../support/run.ts'
import { mountsBelow } from '../support/temp.ts'

const [, , dir = '', image = '', rounds = '1'] = process.argv

execFileSync('ip', ['link', 'set', 'lo', 'up'])
await rkt(['--insecure-options=image', 'run', '--net=none', '--rm', image], { dir })

function podDirectories(): readonly string[] {
  return readdirSync(join(dir, 'pods')).flatMap((state) => readdirSync(join(dir, 'pods', state)).map((pod) => `${state}/${pod}`))
}

/** Control groups of these pods. */
function groups(pods: readonly string[]): readonly string[] {
  const names = pods.flatMap((pod) => ['-o', '-name', `rkt-${basename(pod)}`])
  return names.length === 0 ? [] : execFileSync('find', ['/sys/fs/cgroup', '-type', 'd', '(', ...names.slice(1), ')'], { encoding: 'utf8' }).split('\n').filter(Boolean)
}

function leftovers(): readonly string[] {
  const links = readdirSync('/sys/class/net').filter((name) => name.startsWith('veth'))
  const rules = execFileSync('iptables-save', ['-t', 'nat'], { encoding: 'utf8' }).split('\n').filter((line) => line.includes('CNI'))
  const addresses = '/run/rkt/networks/default'
  const leases = existsSync(addresses) ? readdirSync(addresses).filter((name) => /^[0-9.]+$/.test(name)) : []
  // An embryo, in which nothing is yet, may be another start's that has not locked it: it is collected a minute later.
  const pods = podDirectories().filter((pod) => !pod.startsWith('embryo/'))
  return [...links, ...rules, ...leases, ...pods, ...mountsBelow(dir)]
}

/** Collects until no pod counts as running: what a killed start left working ends by itself. Gives the words of the last collection. */
async function collect(): Promise<string> {
  for (let attempt = 0; ; attempt += 1) {
    const { stderr } = await rkt(['gc', '--grace-period=0s', '--expire-prepared=0s'], { dir })
    if (readdirSync(join(dir, 'pods', 'run')).length === 0 || attempt === 100) return stderr
    await sleep(50)
  }
}

const seen: { readonly afterMs: number; readonly left: readonly string[]; readonly words: string }[] = []
for (let round = 0; round < Number(rounds); round += 1) {
  const afterMs = 20 + Math.random() * 330
  const argv = [...placeFlags(dir), '--insecure-options=image', 'run', '--net=default', image, '--exec=/bin/sleep', '--', '1000']
  const child = spawn(rktProgram, argv, { stdio: 'ignore' })
  const ended = new Promise((resolve) => child.once('exit', resolve))
  await sleep(afterMs)
  child.kill('SIGKILL')
  await ended
  const killed = podDirectories()
  const words = await collect()
  const left = [...leftovers(), ...groups(killed)]
  if (left.length > 0) seen.push({ afterMs, left, words })
}
process.stdout.write(JSON.stringify(seen))
