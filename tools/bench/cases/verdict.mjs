import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { generateKeyPairSync } from 'node:crypto'
import { median, prepare, round } from '../measure.mjs'

export const title = 'judging a stored verdict, as every run does'

const keys = 50
const policies = 10

/** What a run pays: the one judgement of a process, which reads keys and policies; its code is compiled, as the bundle's cache has it. */
export async function measure(place, runs) {
  const config = join(place.tmpfs, 'verdict-config')
  const file = join(place.tmpfs, 'verdict-key.pem')
  for (let count = 0; count < keys; count += 1) {
    writeFileSync(file, generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'pem', type: 'spki' }))
    prepare([place.rkt, `--local-config=${config}`, 'trust', '--skip-fingerprint-review', `--prefix=${['docker.io', 'docker.io/library', 'docker.io/library/app'][count % 3]}`, file])
  }
  mkdirSync(join(config, 'policy.d'))
  for (let count = 0; count < policies; count += 1) {
    const prefixes = [count === 0 ? 'docker.io/library' : `example.com/${count}`]
    writeFileSync(join(config, 'policy.d', `${count}.json`), JSON.stringify({ rktKind: 'policy', rktVersion: 'v1', prefixes, threshold: 1, isolation: 'ns' }))
  }
  const code = `
    import { openKeystore, judgeVerdict } from ${JSON.stringify(join(place.root, 'build/js/src/trust/index.js'))}
    const name = 'docker.io/library/app'
    const dirs = { system: '/nonexistent', local: ${JSON.stringify(config)} }
    const verdict = { kind: 'signed', signatureKind: 'sigstore-key', trustState: openKeystore(dirs).stateFor(name) }
    process.stdout.write(verdict.trustState)`
  const trustState = execFileSync(process.execPath, ['--input-type=module', '-e', code]).toString()
  const once = `
    import { openKeystore, judgeVerdict } from ${JSON.stringify(join(place.root, 'build/js/src/trust/index.js'))}
    const verdict = { kind: 'signed', signatureKind: 'sigstore-key', trustState: ${JSON.stringify(trustState)} }
    openKeystore({ system: '/nonexistent', local: '/nonexistent' }).stateFor('docker.io/library/app')
    for (let warm = 0; warm < 3; warm += 1) openKeystore({ system: '/nonexistent', local: ${JSON.stringify(join(place.tmpfs, 'config'))} }).stateFor('example.com/bench')
    const [began, used] = [process.hrtime.bigint(), process.cpuUsage()]
    const keystore = openKeystore({ system: '/nonexistent', local: ${JSON.stringify(config)} })
    const answer = judgeVerdict(verdict, { name: 'docker.io/library/app', keystore, now: new Date(), insecure: { image: false } })
    const ms = Number(process.hrtime.bigint() - began) / 1e6
    if (answer !== 'ok') throw new Error(answer)
    const { user, system } = process.cpuUsage(used)
    process.stdout.write(JSON.stringify({ ms, cpuMs: (user + system) / 1000 }))`
  const samples = Array.from({ length: runs }, () => JSON.parse(execFileSync(process.execPath, ['--input-type=module', '-e', once]).toString()))
  const [ms, cpuMs] = [median(samples.map((sample) => sample.ms)), median(samples.map((sample) => sample.cpuMs))]
  return {
    results: { ms, cpuMs, samplesMs: samples.map((sample) => round(sample.ms)), keys, policies },
    rows: [{ what: `${title}: ${keys} keys, ${policies} policies, ms of processor time`, ours: round(cpuMs), peer: '-', theirs: undefined, budget: 3, rule: '3 ms' }],
  }
}
