import test from 'ava'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { openSignedScene } from '../support/signed-scene.ts'
import { snapshot } from '../support/unpack-scene.ts'

/** What a member of the store's group does as fast as he can: every directory and file of the store that he may move becomes a link to the victim. */
const attacker = `
const { readdirSync, renameSync, symlinkSync, statSync } = require('node:fs')
const { join } = require('node:path')
const [cas, victim] = process.argv.slice(1)
const attempt = (action) => { try { action(); return 1 } catch { return 0 } }
let tried = 0
process.on('SIGTERM', () => { console.log(tried); process.exit(0) })
console.log('ready')
const round = () => {
  for (const place of ['tmp', 'tree', 'blobs', 'imagelocks']) {
    let names = []
    attempt(() => { names = readdirSync(join(cas, place)) })
    for (const name of names) {
      tried += 1
      const path = join(cas, place, name)
      if (attempt(() => renameSync(path, path + '.mine'))) attempt(() => symlinkSync(victim, path))
      for (const below of ['tree', 'tree/rootfs', 'rootfs', 'blob']) if (attempt(() => renameSync(join(path, below), join(path, 'mine')))) attempt(() => symlinkSync(victim, join(path, below)))
      attempt(() => renameSync(path + '.mine', path))
    }
  }
  setImmediate(round)
}
round()
`

test('A16: while a member of the store group swaps what he can for links, images are fetched whole or refused, and nothing outside is touched', async (t) => {
  using one = await openSignedScene()
  const victim = one.place.in('victim')
  mkdirSync(`${victim}/d`, { recursive: true })
  writeFileSync(`${victim}/hello`, 'hello\n')
  const says = (text: string): string => one.image(text, { manifest: { name: `example.com/${text}`, app: { exec: ['/bin/busybox', 'echo', text] } } })
  t.is((await one.rkt(['fetch', says('first')])).code, 0)
  for (const path of [one.place.path, one.place.in('data')]) chmodSync(path, 0o755)
  chmodSync(victim, 0o777)
  const before = snapshot(victim)
  const child = spawn('setpriv', ['--reuid=65534', '--regid=0', '--clear-groups', process.execPath, '-e', attacker, one.place.in('data', 'cas'), victim], { stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = once(child, 'exit')
  let said = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text))
  await once(child.stdout, 'data')
  const outcomes: (number | null)[] = []
  for (let round = 0; round < 6; round += 1) {
    const image = says(`round-${round}`)
    const results = await Promise.all([one.rkt(['fetch', image]), one.rkt(['fetch', image])])
    for (const { code, stderr } of results) {
      outcomes.push(code)
      if (code !== 0) t.regex(stderr, /^fetch: cannot [^\n]*\n/)
    }
  }
  child.kill('SIGTERM')
  await ended
  t.true(Number(said.replace('ready', '').trim()) > 100)
  t.deepEqual(outcomes.filter((code) => code !== 0 && code !== 254), [])
  t.deepEqual(snapshot(victim), before)
  t.is(readFileSync(`${victim}/hello`, 'utf8'), 'hello\n')
  // Whatever he left, what runs is what was signed, and the store can be used again.
  for (let round = 0; round < 6; round += 1) {
    const { code, stdout } = await one.rkt(['run', '--rm', '--net=none', says(`round-${round}`)])
    t.true((code === 0 && stdout === `round-${round}\n`) || code === 254)
  }
  t.is((await one.rkt(['run', '--rm', '--net=none', says('after')])).stdout, 'after\n')
})
