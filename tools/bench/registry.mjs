// Debian's registry on a port of this machine alone, its blobs below one directory.
import { spawn } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { environment } from './measure.mjs'

export async function startRegistry(home) {
  mkdirSync(home)
  const port = await freePort()
  const address = `127.0.0.1:${port}`
  writeFileSync(join(home, 'config.yml'), `version: 0.1\nlog:\n  level: error\nstorage:\n  filesystem:\n    rootdirectory: ${join(home, 'data')}\nhttp:\n  addr: ${address}\n`)
  const child = spawn('docker-registry', ['serve', join(home, 'config.yml')], { stdio: 'ignore', env: environment })
  for (let patience = 100; ; patience -= 1) {
    if (child.exitCode !== null || patience === 0) throw new Error('docker-registry does not start')
    const answer = await fetch(`http://${address}/v2/`).catch(() => undefined)
    if (answer?.ok) break
    await sleep(50)
  }
  return { address, stop: () => child.kill('SIGTERM') }
}

function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address()
      server.close(() => resolve(port))
    })
  })
}
