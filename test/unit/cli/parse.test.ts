import test, { type ExecutionContext } from 'ava'
import { isRktError } from '../../../src/base/index.ts'
import type { Invocation } from '../../../src/cli/parse/invocation.ts'
import { parseCommandLine } from '../../../src/cli/parse/parse.ts'
import { root } from '../../../src/cli/table/commands.ts'

function parse(t: ExecutionContext, ...words: string[]): Invocation {
  const request = parseCommandLine(words, root)
  t.is(request.kind, 'run')
  if (request.kind !== 'run') throw new Error('the command line asks for help')
  return request.invocation
}

function refuses(t: ExecutionContext, words: readonly string[], message: string): void {
  const error = t.throws(() => parseCommandLine(words, root))
  t.true(isRktError(error, 'usage'))
  t.is(error?.message, message)
}

function apps(invocation: Invocation): unknown {
  return invocation.apps.map(({ image, args }) => [image, args])
}

test('run: words after -- belong to the image before them, until ---', (t) => {
  t.deepEqual(apps(parse(t, 'run', 'foo', 'bar', '--', '--help', '---', 'baz', '--', '--verbose')), [
    ['foo', undefined],
    ['bar', ['--help']],
    ['baz', ['--verbose']],
  ])
})

test('run: everything is literal inside app arguments, also a second --', (t) => {
  t.deepEqual(apps(parse(t, 'run', 'foo', '--', '-x', '--', '', '--net=none', '---')), [['foo', ['-x', '--', '', '--net=none']]])
})

test('run: an empty word and a --- outside arguments are skipped', (t) => {
  t.deepEqual(apps(parse(t, 'run', '', '---', 'foo', '', '---', 'bar')), [
    ['foo', undefined],
    ['bar', undefined],
  ])
})

test('run: -- with nothing after it is an empty argument list', (t) => {
  t.deepEqual(apps(parse(t, 'run', 'foo', '--')), [['foo', []]])
})

test('run: flags of one image stay with it', (t) => {
  const { apps: found } = parse(t, 'run', 'foo', '--name=a', '--exec', '/bin/x', 'bar', '--user', '-1', '--name', 'b')
  t.deepEqual(
    found.map(({ flags }) => [flags.text('name'), flags.text('exec'), flags.text('user')]),
    [
      ['a', '/bin/x', undefined],
      ['b', undefined, '-1'],
    ],
  )
})

test('run: flags of the pod are taken between images too', (t) => {
  const { flags, apps: found } = parse(t, 'run', 'foo', '--net=none', '--', 'x', '---', '--interactive', 'bar')
  t.deepEqual(flags.list('net'), ['none'])
  t.true(flags.bool('interactive'))
  t.is(found.length, 2)
})

test('run: --mount before every image is for the pod, after an image for that one', (t) => {
  const { podMounts, apps: found } = parse(t, 'run', '--mount', 'volume=a,target=/a', 'foo', '--mount=volume=b,target=/b')
  t.deepEqual(podMounts, ['volume=a,target=/a'])
  t.deepEqual(found[0]?.flags.list('mount'), ['volume=b,target=/b'])
})

test('run: other per-app flags must follow an image', (t) => {
  refuses(t, ['run', '--exec=/bin/sh', 'foo'], '--exec must follow an image')
  refuses(t, ['--user=1', 'run', 'foo'], '--user must follow an image')
})

test('run: misplaced -- is refused', (t) => {
  refuses(t, ['run', '--', 'x'], 'an image is required before any app arguments')
  refuses(t, ['run', 'foo', '--', 'x', '---', '--', 'y'], 'only one set of app arguments allowed per image')
})

test('run: --exec and --signature are taken once for each image', (t) => {
  refuses(t, ['run', 'foo', '--exec=a', '--exec=b'], '--exec specified multiple times for the same image')
  refuses(t, ['run', 'foo', '--signature=a', '--signature=b'], '--signature specified multiple times for the same image')
  t.is(parse(t, 'run', 'foo', '--exec=a', 'bar', '--exec=b').apps.length, 2)
})

test('fetch takes no app arguments', (t) => {
  refuses(t, ['fetch', 'foo', '--', 'x'], 'app arguments unsupported')
  refuses(t, ['image', 'fetch', 'foo', '--', 'x'], 'app arguments unsupported')
})

test('a bare --net does not take the next word', (t) => {
  const { flags, apps: found } = parse(t, 'run', '--net', 'host')
  t.deepEqual(flags.list('net'), ['default'])
  t.is(found[0]?.image, 'host')
})

test('--net may be repeated', (t) => {
  t.deepEqual(parse(t, 'run', '--net=a:K=V', '--net=b', 'foo').flags.list('net'), ['a:K=V', 'b'])
})

test('flags of a verb may stand before it', (t) => {
  const { flags } = parse(t, '--net=host', '--debug', '--insecure-options=image', 'run', '--inherit-env', 'foo')
  t.deepEqual(flags.list('net'), ['host'])
  t.deepEqual(flags.list('insecure-options'), ['image'])
  t.true(flags.bool('debug') && flags.bool('inherit-env'))
  t.false(parse(t, '--pretty-print=false', 'cat-manifest', 'x').flags.bool('pretty-print'))
  t.deepEqual(parse(t, '--set-env=FILE=/x', 'run', 'foo').flags.list('set-env'), ['FILE=/x'])
  t.is(parse(t, '--pull-policy=new', 'fetch', 'foo').flags.text('pull-policy'), 'new')
  t.true(parse(t, '--no-store', 'fetch', 'foo').flags.bool('no-store'))
  t.is(parse(t, '--dir', '/x', 'image', '--order', 'desc', 'list').flags.text('dir'), '/x')
})

test('a flag of another verb is unknown', (t) => {
  refuses(t, ['--mark-only', 'list'], 'unknown flag: --mark-only')
  refuses(t, ['list', '--mark-only'], 'unknown flag: --mark-only')
})

test('booleans take a value only with =', (t) => {
  const { flags, words } = parse(t, 'rm', '--debug', 'false', 'x')
  t.true(flags.bool('debug'))
  t.deepEqual(words, ['false', 'x'])
  t.false(parse(t, 'rm', '--debug=F', 'x').flags.bool('debug'))
  refuses(t, ['rm', '--debug=maybe'], 'invalid argument "maybe" for --debug=maybe: expected true or false')
})

test('--no-overlay is a flag of its own, not the negation of another', (t) => {
  t.true(parse(t, 'run', '--no-overlay', 'foo').flags.bool('no-overlay'))
  refuses(t, ['run', '--no-interactive', 'foo'], 'unknown flag: --no-interactive')
})

test('flags that need a value refuse to be last', (t) => {
  refuses(t, ['list', '--format'], 'flag needs an argument: --format')
})

test('a single dash is an argument, other single dashes are refused', (t) => {
  t.deepEqual(parse(t, 'rm', '-').words, ['-'])
  refuses(t, ['rm', '-f'], "unknown shorthand flag: 'f' in -f")
})

test('durations are written as in Go', (t) => {
  t.is(parse(t, 'gc', '--grace-period=0s').flags.duration('grace-period'), 0)
  t.is(parse(t, 'gc', '--grace-period', '0').flags.duration('grace-period'), 0)
  t.is(parse(t, 'gc').flags.duration('grace-period'), 30 * 60_000)
  t.is(parse(t, 'gc').flags.duration('expire-prepared'), 24 * 3_600_000)
  refuses(t, ['gc', '--grace-period=5'], 'invalid argument "5" for --grace-period=5: expected a duration such as 90s, 30m or 1h30m')
})

test('enter: flags end at the UUID', (t) => {
  const { flags, words } = parse(t, 'enter', '--app=x', 'uuid', 'ls', '--app=y', '-l', '--', '--help')
  t.is(flags.text('app'), 'x')
  t.deepEqual(words, ['uuid', 'ls', '--app=y', '-l', '--', '--help'])
})

test('other verbs take flags in any place, and nothing but words after --', (t) => {
  const { flags, words } = parse(t, 'status', 'uuid', '--wait', '--', '--format')
  t.is(flags.text('wait'), 'true')
  t.deepEqual(words, ['uuid', '--format'])
})

test('a unique prefix of a command is enough', (t) => {
  t.deepEqual(parse(t, 'im', 'li').path, ['image', 'list'])
  t.deepEqual(parse(t, 'run', 'foo').path, ['run'])
  refuses(t, ['st', 'x'], 'unknown command "st" for "rkt"')
  refuses(t, ['frob'], 'unknown command "frob" for "rkt"')
  refuses(t, ['image', 'frob'], 'unknown command "frob" for "image"')
})

test('hidden commands have no prefix', (t) => {
  t.deepEqual(parse(t, 'image', 'fetch', 'foo').path, ['image', 'fetch'])
  refuses(t, ['image', 'fet', 'foo'], 'unknown command "fet" for "image"')
})

test('no command at all, or a group alone, asks for the help', (t) => {
  t.is(parseCommandLine([], root).kind, 'missing')
  t.is(parseCommandLine(['--debug'], root).kind, 'missing')
  t.is(parseCommandLine(['image'], root).kind, 'missing')
})

test('--help and -h ask for help anywhere but in app arguments', (t) => {
  for (const words of [['--help'], ['-h'], ['run', '--help'], ['--help', 'run'], ['run', 'foo', '-h'], ['image', 'list', '-h'], ['enter', '--help']]) {
    t.is(parseCommandLine(words, root).kind, 'help', words.join(' '))
  }
  t.is(parseCommandLine(['run', 'foo', '--', '--help'], root).kind, 'run')
  t.is(parseCommandLine(['enter', 'uuid', 'ls', '--help'], root).kind, 'run')
})

test('features that do not exist are refused by the name of their flag', (t) => {
  refuses(t, ['run', '--cpuprofile=x', 'foo'], '--cpuprofile is not supported by this version')
})
