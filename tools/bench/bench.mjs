#!/usr/bin/env node
// make bench: measures rkt and its peers side by side, prints a table, and writes build/bench/*.json.
// Usage: bench.mjs [--runs=N] [CASE...]   with CASE among run, launcher, hardening, syscalls, memory, import, fetch, pull, layers, list, verify, verdict, many, hundred, network
import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { cpus, release } from 'node:os'
import { join, resolve } from 'node:path'
import { environment, prepare } from './measure.mjs'
import { makePlace } from './place.mjs'
import { removePodmanGroups } from './podman.mjs'
import { table } from './table.mjs'

const names = ['run', 'launcher', 'hardening', 'syscalls', 'memory', 'import', 'fetch', 'pull', 'layers', 'list', 'verify', 'verdict', 'many', 'hundred', 'network']
const inside = '--inside'
const root = resolve(import.meta.dirname, '../..')
const output = join(root, 'build/bench')
const words = process.argv.slice(2)

if (words[0] === inside) await measureAll(words.slice(1))
else process.exitCode = outside()

/** A mount namespace of its own: whatever a measured program mounts ends with it. */
function outside() {
  mkdirSync(join(output, 'tmpfs'), { recursive: true })
  const argv = ['--mount', '--propagation', 'private', process.execPath, import.meta.filename, inside, ...words]
  return spawnSync('unshare', argv, { stdio: 'inherit', env: environment }).status ?? 1
}

async function measureAll(args) {
  const runs = Number(args.find((word) => word.startsWith('--runs='))?.slice('--runs='.length) ?? 15)
  const chosen = args.filter((word) => !word.startsWith('--'))
  const tmpfs = join(output, 'tmpfs')
  prepare(['mount', '-t', 'tmpfs', '-o', 'mode=0755', 'tmpfs', tmpfs])
  const place = makePlace(root, tmpfs)
  const rows = []
  try {
    for (const name of chosen.length > 0 ? chosen : names) {
      const { measure, title } = await import(`./cases/${name}.mjs`)
      console.error(`${name}: ${title}`)
      const measured = await measure(place, runs)
      rows.push(...measured.rows)
      const machine = { cpus: cpus().length, cpu: cpus()[0]?.model, kernel: release(), node: process.version }
      writeFileSync(join(output, `${name}.json`), `${JSON.stringify({ name, title, runs, machine, ...measured }, undefined, 2)}\n`)
    }
  } finally {
    prepare(['gpgconf', '--kill', 'all'], { env: place.gpgEnvironment })
    await removePodmanGroups()
  }
  console.log(table(rows))
}
