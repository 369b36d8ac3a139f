import { readFileSync } from 'node:fs'
import test from 'ava'
import { operations } from '../../../src/stage1/plan/operations.ts'

const source = readFileSync('stage1/plan.c', 'utf8')
const header = readFileSync('stage1/plan.h', 'utf8')

test('the operations of the planner are those of the launcher: names, codes and fields', (t) => {
  const codes = new Map([...header.matchAll(/^ {2}(OP_[A-Z_]+) = (\d+),$/gm)].map(([, name = '', code]) => [name, Number(code)]))
  const launcher = [...source.matchAll(/^ {4}\{(OP_[A-Z_]+), "([a-z-]+)", "([a-zA-Z]*)",/gm)].map(([, constant = '', name, fields]) => ({
    name,
    code: codes.get(constant),
    fields,
  }))
  const planner = Object.entries(operations).map(([name, { code, fields }]) => ({ name, code, fields: Object.values(fields).join('') }))
  const byCode = (a: { readonly code?: number | undefined }, b: { readonly code?: number | undefined }): number => (a.code ?? 0) - (b.code ?? 0)
  t.true(planner.length > 40)
  t.deepEqual(planner.toSorted(byCode), launcher.toSorted(byCode))
})

test('specs/launch-plan.md names every operation with its code', (t) => {
  const text = readFileSync('specs/launch-plan.md', 'utf8')
  for (const [name, { code }] of Object.entries(operations)) {
    const row = text.split('\n').find((line) => line.startsWith('|') && line.split('|')[1]?.split(',').some((cell) => Number(cell) === code && cell.trim() !== ''))
    t.truthy(row?.includes(name), `operation ${code} ${name}`)
  }
})
