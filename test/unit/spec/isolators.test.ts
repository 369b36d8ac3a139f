import test from 'ava'
import { asQuantity, parseImageManifest, parseQuantity, type Isolator } from '../../../src/spec/index.ts'
import { imageWithIsolator } from './corpus.ts'

function read(name: string, value: unknown): Isolator | undefined {
  return parseImageManifest(imageWithIsolator(name, value)).app?.isolators[0]
}

test('parseImageManifest() gives isolators their types and keeps their values', (t) => {
  t.like(read('resource/memory', { limit: '16Mi' }), { kind: 'memory', limitBytes: 16 * 1024 * 1024, value: { limit: '16Mi' } })
  t.like(read('resource/memory', { request: '50M', limit: 4096 }), { kind: 'memory', requestBytes: 50_000_000, limitBytes: 4096 })
  t.like(read('resource/cpu', { limit: '250m' }), { kind: 'cpu', limitMillis: 250 })
  t.like(read('os/linux/capabilities-remove-set', { set: ['CAP_KILL'] }), { kind: 'capabilities-remove', set: ['CAP_KILL'] })
  t.like(read('os/linux/seccomp-retain-set', { set: ['@rkt/default-whitelist'], errno: 'EPERM' }), { kind: 'seccomp-retain', errno: 'EPERM' })
  t.like(read('os/linux/no-new-privileges', true), { kind: 'no-new-privileges', enabled: true })
  t.like(read('os/linux/oom-score-adj', -1000), { kind: 'oom-score-adj', score: -1000 })
  t.like(read('os/linux/cpu-shares', 2), { kind: 'cpu-shares', shares: 2 })
  t.like(read('os/unix/sysctl', { 'kernel.x': '1' }), { kind: 'sysctl', settings: { 'kernel.x': '1' } })
})

test('parseImageManifest() reads an empty errno as none', (t) => {
  const isolator = read('os/linux/seccomp-remove-set', { set: ['ptrace'], errno: '' })
  t.true(isolator?.kind === 'seccomp-remove' && isolator.errno === undefined)
})

test('parseImageManifest() keeps an isolator that it does not know', (t) => {
  t.deepEqual(read('example.com/new', { a: [1] }) as unknown, { kind: 'other', name: 'example.com/new', value: { a: [1] } })
})

test('parseQuantity() reads the suffixes of Kubernetes and rounds up', (t) => {
  const cases: readonly (readonly [string, number, number])[] = [
    ['0', 0, 0],
    ['1', 1, 1000],
    ['250m', 1, 250],
    ['1.5', 2, 1500],
    ['.5', 1, 500],
    ['5.', 5, 5000],
    ['1k', 1000, 1_000_000],
    ['1Ki', 1024, 1_024_000],
    ['16Mi', 16_777_216, 16_777_216_000],
    ['1.5Gi', 1_610_612_736, 1_610_612_736_000],
    ['1G', 1_000_000_000, 1_000_000_000_000],
    ['1e3', 1000, 1_000_000],
    ['1E3', 1000, 1_000_000],
    ['12E-1', 2, 1200],
    ['1n', 1, 1],
    ['100u', 1, 1],
    ['+3', 3, 3000],
    ['7Pi', 7 * 2 ** 50, Number.MAX_SAFE_INTEGER],
  ]
  for (const [text, units, millis] of cases) t.deepEqual(parseQuantity(text), { units, millis }, text)
})

test('asQuantity() refuses what is no amount', (t) => {
  for (const text of ['', '.', '-1', '-0', 'M', '1MB', '1 M', '1Mi ', '1,5', '0x10', 'NaN', 'Infinity', '1e', '1e100', '1e999999999', '8Pi', '1E', '99999999999999999999', '1'.repeat(41), '١']) {
    t.is(asQuantity(text), undefined, text)
  }
})

test('asQuantity() agrees with the arithmetic of whole numbers', (t) => {
  for (const [suffix, factor] of [['', 1], ['k', 1e3], ['Ki', 1024], ['M', 1e6], ['Mi', 1024 ** 2], ['G', 1e9], ['Gi', 1024 ** 3]] as const) {
    for (let number = 0; number < 500; number += 7) t.is(asQuantity(`${number}${suffix}`)?.units, number * factor)
  }
})
