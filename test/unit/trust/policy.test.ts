import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { Ajv2020 } from 'ajv/dist/2020.js'
import test from 'ava'
import { parseACIdentifier } from '../../../src/spec/index.ts'
import { openKeystore, type Policy } from '../../../src/trust/index.ts'
import { isAtLeast, isVersion } from '../../../src/trust/policy/compare-versions.ts'
import { readPolicyFile } from '../../../src/trust/policy/policy-file.ts'
import { temporaryDirectory, type TemporaryDirectory } from '../../support/temp.ts'

const base = { rktKind: 'policy', rktVersion: 'v1', prefixes: ['example.com/app'] }
const schema = new Ajv2020({ strict: true, strictTypes: false }).compile(JSON.parse(readFileSync('specs/policy.schema.json', 'utf8')))

function write(place: TemporaryDirectory, side: string, files: Readonly<Record<string, object>>): void {
  mkdirSync(place.in(side, 'policy.d'), { recursive: true })
  for (const [name, fields] of Object.entries(files)) writeFileSync(place.in(side, 'policy.d', `${name}.json`), JSON.stringify({ rktKind: 'policy', rktVersion: 'v1', ...fields }))
}

function policyFor(place: TemporaryDirectory, name: string): Policy {
  const dirs = { system: place.in('system'), local: place.in('local'), user: place.in('user') }
  return openKeystore(dirs).policies.policyFor(parseACIdentifier(name))
}

test('the schema and the parser of policies agree', (t) => {
  const id = 'a'.repeat(40)
  for (const [fields, good] of [
    [{}, true],
    [{ prefixes: ['*', 'a.com'] }, true],
    [{ signers: [id, `sha256-${'b'.repeat(64)}`, `identity-${'c'.repeat(64)}`], threshold: 2, kinds: ['openpgp', 'sigstore-identity'], isolation: 'kvm', maxAgeDays: 1, minVersion: 'v1.2.3-rc.1+x', selfDeclaredNames: 'refuse', locked: true }, true],
    [{ prefixes: [] }, false],
    [{ prefixes: ['a', 'a'] }, false],
    [{ prefixes: 'a' }, false],
    [{ prefixes: ['A.com'] }, false],
    [{ prefixes: ['a..com'] }, false],
    [{ prefixes: undefined }, false],
    [{ rktKind: 'Policy' }, false],
    [{ rktVersion: 'v2' }, false],
    [{ rktVersion: undefined }, false],
    [{ signers: [] }, false],
    [{ signers: [id.toUpperCase()] }, false],
    [{ signers: [7] }, false],
    [{ threshold: 0 }, false],
    [{ threshold: 17 }, false],
    [{ threshold: 1.5 }, false],
    [{ threshold: '1' }, false],
    [{ kinds: ['gpg'] }, false],
    [{ kinds: [] }, false],
    [{ isolation: 'none' }, false],
    [{ isolation: ['ns'] }, false],
    [{ maxAgeDays: -1 }, false],
    [{ minVersion: 'latest' }, false],
    [{ minVersion: '1.2.3.4.5.6.7.8.9' }, false],
    [{ selfDeclaredNames: true }, false],
    [{ locked: 'true' }, false],
    [{ locked: null }, false],
    [{ lock: true }, false],
  ] as const) {
    const content = Buffer.from(JSON.stringify({ ...base, ...fields }))
    const what = JSON.stringify(fields)
    t.is(schema(JSON.parse(content.toString())), good, what)
    const read = (): unknown => readPolicyFile({ name: 'x.json', path: '/x.json', content })
    if (good) t.notThrows(read, what)
    else t.throws(read, { code: 'invalid-config', message: /"\/x\.json"/ }, what)
  }
})

test('the longest prefix decides, then the user, then the local directory; without a rule the built-in policy holds', (t) => {
  using place = temporaryDirectory()
  t.like(policyFor(place, 'example.com/app'), { path: undefined, threshold: 1, lockedBy: undefined })
  write(place, 'system', { all: { prefixes: ['*'], threshold: 2 }, app: { prefixes: ['example.com/app'], threshold: 3 } })
  write(place, 'local', { com: { prefixes: ['example.com'], threshold: 4 } })
  t.is(policyFor(place, 'other.com/x').threshold, 2)
  t.is(policyFor(place, 'example.com/apple').threshold, 4)
  t.is(policyFor(place, 'example.com/app/part').threshold, 3)
  write(place, 'local', { app: { prefixes: ['example.com/app'], threshold: 5 } })
  t.is(policyFor(place, 'example.com/app').threshold, 5)
  write(place, 'user', { app: { prefixes: ['example.com/app'], threshold: 6 } })
  t.is(policyFor(place, 'example.com/app').threshold, 6)
  write(place, 'local', { again: { prefixes: ['example.com/app'] } })
  t.throws(() => policyFor(place, 'other.com/x'), { code: 'invalid-config', message: /already specified/ })
})

test('a lock holds for everything below its prefix, and the user has no say there', (t) => {
  using place = temporaryDirectory()
  write(place, 'system', { com: { prefixes: ['example.com'], threshold: 2, locked: true } })
  write(place, 'user', { app: { prefixes: ['example.com/app'], threshold: 1 }, other: { prefixes: ['other.com'], threshold: 3, locked: true } })
  t.like(policyFor(place, 'example.com/app'), { threshold: 2, lockedBy: place.in('system', 'policy.d', 'com.json') })
  t.like(policyFor(place, 'other.com/x'), { threshold: 3, lockedBy: place.in('user', 'policy.d', 'other.json') })
  write(place, 'local', { app: { prefixes: ['example.com/app'], threshold: 4 } })
  t.like(policyFor(place, 'example.com/app'), { threshold: 4, lockedBy: place.in('system', 'policy.d', 'com.json') })
})

test('a change of any policy changes the state of every name', (t) => {
  using place = temporaryDirectory()
  const keystore = openKeystore({ system: place.in('system'), local: place.in('local') })
  const name = parseACIdentifier('example.com/app')
  const states = [keystore.stateFor(name)]
  for (const threshold of [1, 2]) {
    write(place, 'local', { other: { prefixes: ['other.com'], threshold } })
    states.push(keystore.stateFor(name))
  }
  write(place, 'system', { other: { prefixes: ['other.com'], threshold: 2 } })
  states.push(keystore.stateFor(name))
  t.is(new Set(states).size, states.length)
})

test('versions are compared number by number, a pre-release before its release', (t) => {
  const rising = ['0', '0.0.1', '1-alpha', '1-alpha.1', '1-alpha.2', '1-alpha.10', '1-alpha.x', '1-beta', '1', '1.0.1', '1.2', '1.10', '2.0.0-rc1', '2', '10']
  for (const [index, one] of rising.entries()) {
    for (const [other, two] of rising.entries()) t.is(isAtLeast(one, two), index >= other, `${one} ${two}`)
  }
  t.true(isAtLeast('v1.0', '1'))
  t.true(isAtLeast('1.0+build', '1'))
  for (const none of ['', 'latest', '1.', '.1', '1..2', '1.2.3.4.5.6.7.8.9', 'v', '1 ', '9999999999']) {
    t.false(isVersion(none), none)
    t.false(isAtLeast(none, '0'), none)
    t.false(isAtLeast('1', none), none)
  }
})
