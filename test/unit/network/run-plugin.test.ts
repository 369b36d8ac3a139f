import { chmodSync, closeSync, mkdtempSync, openSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { isRktError } from '../../../src/base/index.ts'
import { type PluginCall, runPlugin } from '../../../src/network/run-plugin.ts'

const directory = mkdtempSync(join(tmpdir(), 'rkt-plugin-'))
test.after.always(() => rmSync(directory, { recursive: true }))
let count = 0

function call(script: string, more: Partial<PluginCall> = {}): PluginCall {
  const path = join(directory, `plugin-${(count += 1)}`)
  writeFileSync(path, `#!/bin/sh\n${script}\n`)
  chmodSync(path, 0o755)
  return { path, env: { CNI_COMMAND: 'ADD', PATH: '/usr/bin:/bin' }, stdin: Buffer.from('{}'), networkName: 'n', signal: AbortSignal.timeout(20_000), ...more }
}

test('runPlugin() hands over standard input and the exact environment', async (t) => {
  const output = await runPlugin(call('cat; env', { stdin: Buffer.from('conf\n'), env: { CNI_COMMAND: 'ADD' } }))
  const lines = Buffer.from(output).toString().trim().split('\n').filter((line) => !/^(PWD|OLDPWD|SHLVL|_)=/.test(line))
  t.deepEqual(lines, ['conf', 'CNI_COMMAND=ADD'])
})

test('runPlugin() gives the words of the error object', async (t) => {
  const error = await t.throwsAsync(runPlugin(call(`printf '%s' '{"code":11,"msg":"no\\nroom","details":"try later"}'; exit 1`)))
  t.true(isRktError(error, 'network-setup'))
  t.is(error?.message, 'failed to setup network "n": no room; try later')
})

test('runPlugin() gives the last line of standard error when there is no error object', async (t) => {
  const error = await t.throwsAsync(runPlugin(call('echo one >&2; echo two >&2; exit 3')))
  t.is(error?.message, 'failed to setup network "n": netplugin failed: two')
})

test('runPlugin() ends a plugin that writes without end', async (t) => {
  await t.throwsAsync(runPlugin(call('yes')), { message: /netplugin failed/ })
})

test('runPlugin() ends a plugin and its children when the command is cancelled', async (t) => {
  const controller = new AbortController()
  const reason = new Error('cancelled')
  const running = runPlugin(call('sleep 100 & sleep 100', { signal: controller.signal }))
  setTimeout(() => controller.abort(reason), 50)
  t.is(await t.throwsAsync(running), reason)
})

test('runPlugin() survives a plugin that does not read its standard input', async (t) => {
  const output = await runPlugin(call('echo ok', { stdin: Buffer.alloc(1_000_000, 0x20) }))
  t.is(Buffer.from(output).toString(), 'ok\n')
})

test("runPlugin() lets the plugin hold the pod's lock", async (t) => {
  const lockFd = openSync(directory, 'r')
  try {
    const output = await runPlugin(call('readlink /proc/$$/fd/3', { lockFd }))
    t.is(Buffer.from(output).toString().trim(), realpathSync(directory))
  } finally {
    closeSync(lockFd)
  }
})
