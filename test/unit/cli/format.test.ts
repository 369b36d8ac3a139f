import test from 'ava'
import { RktError } from '../../../src/base/index.ts'
import { parseDuration } from '../../../src/cli/duration.ts'
import { failureLines } from '../../../src/cli/failure.ts'
import { parseInsecureOptions } from '../../../src/cli/insecure.ts'
import { progressLine } from '../../../src/cli/progress.ts'
import { humanSize } from '../../../src/cli/sizes.ts'
import { tabulate } from '../../../src/cli/tabulate.ts'
import { longTime, relativeTime } from '../../../src/cli/times.ts'

test('parseDuration() reads what Go reads', (t) => {
  t.is(parseDuration('0'), 0)
  t.is(parseDuration('0s'), 0)
  t.is(parseDuration('30m'), 1_800_000)
  t.is(parseDuration('1h30m'), 5_400_000)
  t.is(parseDuration('1.5s'), 1500)
  t.is(parseDuration('.5s'), 500)
  t.is(parseDuration('300ms'), 300)
  t.is(parseDuration('-1m'), -60_000)
})

test('parseDuration() refuses what Go refuses', (t) => {
  for (const text of ['', '5', 's', '1d', '1h 30m', '+', '1e3s', '.s', ' 1s', '1s\n']) t.throws(() => parseDuration(text), { message: /^invalid duration/ }, text)
})

test('parseInsecureOptions() takes single options, groups, and any case', (t) => {
  t.deepEqual(
    Object.entries(parseInsecureOptions(['image,TLS'])).filter(([, off]) => off).map(([name]) => name),
    ['image', 'tls'],
  )
  const fetching = parseInsecureOptions(['all-fetch'])
  t.true(fetching.image && fetching.tls && fetching.http && fetching.pubkey && !fetching.seccomp && !fetching.ondisk)
  const running = parseInsecureOptions(['all-run'])
  t.true(running.capabilities && running.paths && running.seccomp && !running.image)
  t.true(Object.values(parseInsecureOptions(['all'])).every(Boolean))
  t.false(Object.values(parseInsecureOptions(['none'])).some(Boolean))
  t.true(parseInsecureOptions(['image', 'tls']).tls)
})

test('parseInsecureOptions() refuses unknown and repeated options', (t) => {
  t.throws(() => parseInsecureOptions(['frob']), { message: /: unknown option "frob"$/ })
  t.throws(() => parseInsecureOptions(['']), { message: /: unknown option ""$/ })
  t.throws(() => parseInsecureOptions(['constructor']), { message: /: unknown option "constructor"$/ })
  t.throws(() => parseInsecureOptions(['image,image']), { message: /: duplicated option "image"$/ })
  t.throws(() => parseInsecureOptions(['image', 'image']), { message: /: duplicated option "image"$/ })
})

test('relativeTime() uses the words of the original', (t) => {
  const second = 1000
  const hour = 3600 * second
  const day = 24 * hour
  const cases: [number, string][] = [
    [0, 'now'],
    [second, '1 second ago'],
    [59 * second, '59 seconds ago'],
    [60 * second, '1 minute ago'],
    [150 * second, '2 minutes ago'],
    [hour, '1 hour ago'],
    [5 * hour, '5 hours ago'],
    [day, '1 day ago'],
    [3 * day, '3 days ago'],
    [8 * day, '1 week ago'],
    [20 * day, '2 weeks ago'],
    [31 * day, '1 month ago'],
    [100 * day, '3 months ago'],
    [400 * day, '1 year ago'],
    [600 * day, '2 years ago'],
    [4000 * day, '11 years ago'],
  ]
  const now = Date.UTC(2026, 0, 1)
  for (const [age, words] of cases) t.is(relativeTime(now - age, now), words)
  t.is(relativeTime(undefined, now), 'a long while ago')
  t.is(relativeTime(now + hour, now), 'now')
})

test('longTime() follows the layout of Go', (t) => {
  t.regex(longTime(Date.UTC(2026, 0, 2, 3, 4, 5, 60)), /^20\d\d-\d\d-\d\d \d\d:\d\d:05\.06 [+-]\d{4} \S+$/)
  t.regex(longTime(Date.UTC(2026, 0, 2, 3, 4, 5)), /:05 [+-]\d{4} \S+$/)
})

test('humanSize() counts in units of 1024 without a blank', (t) => {
  t.deepEqual([0, 9, 10, 1023, 1024, 1_300_000, 12 * 1024 ** 2, 5 * 1024 ** 3].map(humanSize), ['0B', '9B', '10B', '1023B', '1.0KiB', '1.2MiB', '12MiB', '5.0GiB'])
})

test('tabulate() separates columns by at least one TAB', (t) => {
  t.is(tabulate([['a', 'bb'], ['12345678', 'c']]), 'a\t\tbb\n12345678\tc\n')
  t.is(tabulate([]), '')
})

test('progressLine() fits its width', (t) => {
  t.is(progressLine({ phase: 'download', doneBytes: 512, totalBytes: 1024 }, 36), 'download [=====>       ] 512B/1.0KiB')
  t.is(progressLine({ phase: 'download', doneBytes: 512, totalBytes: undefined }, 36), 'download 512B')
  for (let width = 0; width < 60; width += 1) t.true(progressLine({ phase: 'unpack', doneBytes: 3, totalBytes: 3 }, width).length <= width)
})

test('failureLines() prints message and hint, and the tree of causes with debug', (t) => {
  const error = new RktError('io', 'cannot read "x"', { cause: new RktError('io', 'middle', { cause: new Error('inner') }), hint: 'do y' })
  t.deepEqual(failureLines(error, { debug: false }), ['cannot read "x"', 'hint: do y'])
  t.deepEqual(failureLines(error, { debug: true }), ['cannot read "x"', '└─middle', '  └─internal error: inner', 'hint: do y'])
})

test('failureLines() adds what the system said where the message has no state', (t) => {
  const cause = Object.assign(new Error('ENOENT: no such file or directory'), { code: 'ENOENT' })
  t.deepEqual(failureLines(new RktError('io', 'cannot read "x"', { cause }), { debug: false }), ['cannot read "x": ENOENT: no such file or directory'])
  t.deepEqual(failureLines(new RktError('io', 'cannot read "x": it is gone', { cause }), { debug: false }), ['cannot read "x": it is gone'])
})

test('failureLines() lets no control character through', (t) => {
  t.deepEqual(failureLines(new RktError('io', 'a\u001b[31mb\u202e'), { debug: false }), ['a\\u{1b}[31mb\\u{202e}'])
})
