import { spawnSync } from 'node:child_process'
import { closeSync, openSync, writeFileSync } from 'node:fs'
import test from 'ava'
import { libraryFile } from '../../../src/base/index.ts'
import { encodePlan } from '../../../src/stage1/plan/encode.ts'
import type { LaunchPlan } from '../../../src/stage1/plan/operations.ts'
import { temporaryDirectory } from '../../support/temp.ts'

const empty: LaunchPlan = { version: 1, pod: [{ op: 'uuid', uuid: 'x' }], apps: [], end: [] }

/** Lets the launcher read a plan and run its empty end list. */
function read(directory: string, bytes: Uint8Array): { readonly status: number | null; readonly line: string } {
  const path = `${directory}/plan`
  writeFileSync(path, bytes)
  const plan = openSync(path, 'r')
  const pod = openSync(directory, 'r')
  const { status, stderr } = spawnSync(libraryFile('launcher'), ['end', '3', '4'], { stdio: ['ignore', 'ignore', 'pipe', plan, pod], env: {} })
  closeSync(plan)
  closeSync(pod)
  return { status, line: stderr.toString().trim() }
}

test('encodePlan() gives bytes that the launcher accepts', (t) => {
  using dir = temporaryDirectory()
  t.deepEqual(read(dir.path, encodePlan(empty)), { status: 0, line: '' })
})

test('encodePlan() refuses a text with a NUL', (t) => {
  t.throws(() => encodePlan({ ...empty, pod: [{ op: 'uuid', uuid: 'a\0b' }] }), { message: 'a plan text holds a NUL' })
})

test('the launcher refuses a plan that is cut, longer than it says, or not one', (t) => {
  using dir = temporaryDirectory()
  const bytes = encodePlan(empty)
  const hostile = [bytes.subarray(0, bytes.length - 1), Buffer.concat([bytes, Buffer.of(0)]), Buffer.from('not a plan'), Buffer.concat([Buffer.from('RKTPLAN2'), bytes.subarray(8)])]
  for (const plan of hostile) {
    const { status, line } = read(dir.path, plan)
    t.is(status, 1)
    t.regex(line, /^cannot read launch plan "[a-z ]+": Bad message$/)
  }
})

test('the launcher survives every single changed byte of a plan', (t) => {
  using dir = temporaryDirectory()
  const bytes = encodePlan(empty)
  for (let at = 0; at < bytes.length; at += 1) {
    const changed = Buffer.from(bytes)
    changed[at] = (changed[at] ?? 0) ^ 0x55
    const { status } = read(dir.path, changed)
    t.true(status === 0 || status === 1, `byte ${at}`)
  }
})

test('the launcher refuses an operation in a section where it has no place', (t) => {
  using dir = temporaryDirectory()
  const plan = encodePlan({ ...empty, end: [{ op: 'uuid', uuid: 'x' }] })
  t.deepEqual(read(dir.path, plan), { status: 1, line: 'cannot read launch plan "unknown operation": Bad message' })
})
