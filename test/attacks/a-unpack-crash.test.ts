import test from 'ava'
import { spawn } from 'node:child_process'
import { randomBytes, randomInt } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { rawAci } from '../support/raw-tar.ts'
import { unpackScene } from '../support/unpack-scene.ts'
import { killUnpackers, waitForUnpacker, waitUntilGone } from '../support/unpacker-child.ts'

// These kill every unpacker of this process: they have a file, and so a process, of their own.

test.serial('A18: an unpacker killed at any moment reports no result, and unpacking again gives the whole tree', async (t) => {
  using scene = unpackScene()
  const blob = gzipSync(rawAci(Array.from({ length: 1500 }, (_, i) => ({ name: `rootfs/${i % 50}/${i}`, content: randomBytes(2000) }))))
  const started = performance.now()
  const whole = await scene.unpack(blob)
  const wholeMs = performance.now() - started
  if (whole.kind !== 'unpacked') return t.fail(whole.message)
  let killed = 0
  for (let round = 0; round < 25; round++) {
    const unpacking = scene.unpack(blob)
    const timer = setTimeout(() => killUnpackers(process.pid), (wholeMs * round) / 25 + randomInt(10))
    const outcome = await unpacking
    clearTimeout(timer)
    if (outcome.kind === 'unpacked') {
      t.is(outcome.image.treeHash, whole.image.treeHash)
    } else {
      killed++
      t.regex(outcome.message, /killed by SIGKILL/)
    }
    scene.assertUntouched(t)
  }
  t.true(killed > 5, `${killed} were killed in time`)
  const again = await scene.unpack(blob)
  t.is(again.kind === 'unpacked' ? again.image.treeHash : '', whole.image.treeHash)
})

test.serial('A18: an unpacker dies with the process that started it', async (t) => {
  using scene = unpackScene()
  const blob = scene.beside('big')
  const destination = scene.beside('tree')
  writeFileSync(blob, rawAci([{ name: 'rootfs/big', content: Buffer.alloc(150 << 20) }]))
  mkdirSync(destination)
  const module = new URL('../../src/store/unpack.js', import.meta.url).href
  const script = `import { unpackAci } from ${JSON.stringify(module)}
    await unpackAci({ blobPath: ${JSON.stringify(blob)}, destination: ${JSON.stringify(destination)}, signal: new AbortController().signal })`
  const parent = spawn(process.execPath, ['--input-type=module', '--eval', script], { stdio: 'inherit' })
  const pid = await waitForUnpacker(parent.pid ?? 0)
  parent.kill('SIGKILL')
  t.true(await waitUntilGone(pid))
})
