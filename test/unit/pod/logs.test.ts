import { appendFileSync, existsSync, renameSync, symlinkSync, writeFileSync } from 'node:fs'
import test from 'ava'
import { compareTimes, LogFile, parseLogLine } from '../../../src/pod/index.ts'
import { temporaryDirectory } from '../../support/temp.ts'

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString()

test('parseLogLine() takes a line apart', (t) => {
  const line = parseLogLine(Buffer.from('2026-01-02T03:04:05.123456789Z stderr P some text '))
  t.like(line, { time: '2026-01-02T03:04:05.123456789Z', stream: 'stderr', partial: true })
  t.is(text(line?.text ?? new Uint8Array()), 'some text ')
  t.is(text(parseLogLine(Buffer.from('2026-01-02T03:04:05Z stdout F '))?.text ?? Buffer.from('x')), '')
})

test('parseLogLine() passes over what is no log line', (t) => {
  for (const line of ['', 'text', '2026-01-02T03:04:05Z stdin F x', '2026-01-02T03:04:05Z stdout X x']) t.is(parseLogLine(Buffer.from(line)), undefined)
})

test('LogFile goes on where it ended, and waits for the end of a line', (t) => {
  using place = temporaryDirectory()
  using file = new LogFile(place.in('log'))
  const read = (): readonly string[] => [...file.lines()].map((line) => text(line.text))
  t.deepEqual(read(), [])
  writeFileSync(place.in('log'), '2026-01-02T03:04:05Z stdout F one\n2026-01-02T03:04:05Z stdout F tw')
  t.deepEqual(read(), ['one'])
  appendFileSync(place.in('log'), 'o\n')
  t.deepEqual(read(), ['two'])
  t.deepEqual(read(), [])
})

test('LogFile reads lines that are longer than its buffer', (t) => {
  using place = temporaryDirectory()
  using file = new LogFile(place.in('log'))
  const long = 'x'.repeat(200_000)
  writeFileSync(place.in('log'), `2026-01-02T03:04:05Z stdout F ${long}\n2026-01-02T03:04:05Z stdout F end\n`)
  t.deepEqual([...file.lines()].map((line) => line.text.byteLength), [200_000, 3])
})

test('compareTimes() orders nanoseconds', (t) => {
  t.true(compareTimes('2026-01-02T03:04:05.1Z', '2026-01-02T03:04:05.100000001Z') < 0)
  t.true(compareTimes('2026-01-02T03:04:06Z', '2026-01-02T03:04:05.9Z') > 0)
  t.is(compareTimes('2026-01-02T03:04:05.10Z', '2026-01-02T03:04:05.1Z'), 0)
})

test('LogFile reads renamed files before the new one, and loses no line when files are renamed between its reads', (t) => {
  using place = temporaryDirectory()
  using file = new LogFile(place.in('log'))
  const line = (number: number): string => `2026-01-02T03:04:05Z stdout F ${number}\n`
  const rotate = (): void => {
    for (const [older, newer] of [['log.2', 'log.1'], ['log.1', 'log']] as const) if (existsSync(place.in(newer))) renameSync(place.in(newer), place.in(older))
  }
  const read = (): readonly string[] => [...file.lines()].map((found) => text(found.text))
  for (const number of [1, 2]) {
    writeFileSync(place.in('log'), line(number))
    rotate()
  }
  writeFileSync(place.in('log'), line(3))
  t.deepEqual(read(), ['1', '2', '3'])
  appendFileSync(place.in('log'), line(4))
  rotate()
  writeFileSync(place.in('log'), line(5))
  rotate()
  writeFileSync(place.in('log'), line(6))
  t.deepEqual(read(), ['4', '5', '6'])
})

test('LogFile follows a link to where an operator has put the log', (t) => {
  using place = temporaryDirectory()
  writeFileSync(place.in('there'), '2026-01-02T03:04:05Z stderr F is text\n')
  symlinkSync(place.in('there'), place.in('log'))
  using file = new LogFile(place.in('log'))
  t.deepEqual([...file.lines()].map((line) => [line.stream, line.partial, text(line.text)]), [['stderr', false, 'F is text']])
})
