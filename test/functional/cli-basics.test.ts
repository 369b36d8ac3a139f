import test from 'ava'
import { rktProgram } from '../support/paths.ts'
import { rkt } from '../support/run.ts'
import { temporaryDirectory } from '../support/temp.ts'

test('rkt alone says what is missing, prints the help, and exits 2', async (t) => {
  const { code, stdout, stderr } = await rkt([])
  t.is(code, 2)
  t.is(stderr, 'rkt: missing command\n')
  t.regex(stdout, /^NAME:\n\trkt - /)
})

test('an unknown command or flag exits 254 with one line and a hint', async (t) => {
  const command = await rkt(['frob'])
  t.is(command.code, 254)
  t.regex(command.stderr, /^rkt: unknown command "frob" for "rkt"\nrkt: hint: .+\n$/)
  const flag = await rkt(['list', '--frob'])
  t.is(flag.code, 254)
  t.is(flag.stderr, 'list: unknown flag: --frob\n')
})

test('help goes to standard output, for every way of asking', async (t) => {
  const expected = (await rkt(['help', 'image', 'list'])).stdout
  t.regex(expected, /^NAME:\n\timage list - /)
  for (const words of [['image', 'list', '--help'], ['--help', 'image', 'list'], ['im', 'li', '-h']]) {
    const { code, stdout, stderr } = await rkt(words)
    t.is(code, 0)
    t.is(stderr, '')
    t.is(stdout, expected)
  }
})

test('version prints its lines', async (t) => {
  const { code, stdout } = await rkt(['version'])
  t.is(code, 0)
  t.regex(stdout, /^rkt Version: \d+\.\d+\.\d+\nappc Version: 0\.8\.11\nNode Version: v\d+\S+\nOS\/Arch: linux\/\S+\nFeatures: .+\n$/)
})

test('verbs for root alone refuse others before they look at the arguments', async (t) => {
  for (const verb of ['run', 'prepare', 'run-prepared', 'enter', 'gc', 'rm']) {
    const { code, stderr } = await rkt(['--reuid=65534', '--clear-groups', rktProgram, verb, '--frob'], { program: '/usr/bin/setpriv' })
    t.is(code, 254, verb)
    t.is(stderr, `${verb}: cannot run as unprivileged user\n`)
  }
})

test('a wrong number of arguments shows the usage', async (t) => {
  const { code, stderr } = await rkt(['status'])
  t.is(code, 254)
  t.regex(stderr, /^status: must provide one pod UUID\nstatus: hint: usage: rkt status /)
})

test('--insecure-options are checked', async (t) => {
  const { code, stderr } = await rkt(['--insecure-options=image,frob', 'version'])
  t.is(code, 254)
  t.regex(stderr, /unknown option "frob"/)
})

test('--debug prints the chain of causes as a tree', async (t) => {
  using place = temporaryDirectory()
  const { code, stderr } = await rkt(['--debug', 'status', '--uuid-file=/nonexistent'], { dir: place.in('data') })
  t.is(code, 1)
  t.regex(stderr, /^status: unable to resolve UUID from file: .*\nstatus: └─ENOENT/)
})

test('an empty list is one line end, or null', async (t) => {
  using place = temporaryDirectory()
  t.is((await rkt(['list', '--no-legend'], { dir: place.in('data') })).stdout, '\n')
  t.is((await rkt(['list', '--format=json'], { dir: place.in('data') })).stdout, 'null\n')
  t.is((await rkt(['list', '--format=frob'], { dir: place.in('data') })).stderr, 'list: Invalid format option: frob\n')
})

test('the data directory may come from configuration of kind paths, which --dir overrides', async (t) => {
  using place = temporaryDirectory()
  const { mkdirSync, writeFileSync } = await import('node:fs')
  mkdirSync(place.in('config', 'paths.d'), { recursive: true })
  const write = (json: unknown): void => writeFileSync(place.in('config', 'paths.d', 'x.json'), JSON.stringify(json))
  const config = [`--system-config=${place.in('none')}`, `--local-config=${place.in('config')}`]
  write({ rktKind: 'paths', rktVersion: 'v1', data: place.in('data') })
  t.is((await rkt([...config, 'list', '--no-legend'])).stdout, '\n')
  write({ rktKind: 'paths', rktVersion: 'v1', data: 'relative' })
  const refused = await rkt([...config, 'list'])
  t.is(refused.code, 254)
  t.regex(refused.stderr, /"data" is "relative"; expected an absolute path/)
  t.is((await rkt([...config, `--dir=${place.in('other')}`, 'list', '--no-legend'])).code, 0)
  t.is((await rkt([...config, 'version'])).code, 0)
})

test('completion code is printed for three shells, and completes commands and flags', async (t) => {
  for (const shell of ['bash', 'zsh', 'fish']) t.regex((await rkt(['completion', shell])).stdout, /rkt complete-words/)
  t.is((await rkt(['completion', 'tcsh'])).code, 254)
  t.is((await rkt(['complete-words', '--', 'im'])).stdout, 'image\n')
  t.is((await rkt(['complete-words', '--', 'image', 'l'])).stdout, 'list\n')
  t.is((await rkt(['complete-words', '--', 'run', 'some-image', '--ne'], { env: { SHELL: '/bin/zsh' } })).stdout, '--net\n')
})

test('a reader that goes away is no failure', async (t) => {
  const { code, stderr } = await rkt(['-c', `${rktProgram} help | head -c 1 >/dev/null; echo \${PIPESTATUS[0]} >&2`], { program: '/bin/bash' })
  t.is(code, 0)
  t.is(stderr, '0\n')
})
