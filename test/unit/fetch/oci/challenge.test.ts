import test from 'ava'
import { parseChallenges } from '../../../../src/fetch/oci/registry/challenge.ts'

const read = (header: string): unknown => parseChallenges(header).map(({ scheme, parameters }) => [scheme, Object.fromEntries(parameters)])

for (const [header, wanted] of [
  ['Basic realm="x"', [['basic', { realm: 'x' }]]],
  ['Bearer realm="https://a/token",service="s",scope="repository:a:pull,push"', [['bearer', { realm: 'https://a/token', service: 's', scope: 'repository:a:pull,push' }]]],
  ['BEARER Realm=x , SERVICE = "a \\"b\\""', [['bearer', { realm: 'x', service: 'a "b"' }]]],
  ['Negotiate, Basic realm="x"', [['negotiate', {}], ['basic', { realm: 'x' }]]],
  ['Negotiate abc==, Bearer realm="y"', [['negotiate', {}], ['bearer', { realm: 'y' }]]],
  ['Basic realm="a", Bearer realm="b", service=c', [['basic', { realm: 'a' }], ['bearer', { realm: 'b', service: 'c' }]]],
  ['Bearer realm="a",realm="b"', [['bearer', { realm: 'a' }]]],
  ['Basic', [['basic', {}]]],
  ['', []],
  [', ,', []],
  ['"', []],
  ['Bearer realm="open', [['bearer', {}]]],
] as const) {
  test(`parseChallenges() reads ${JSON.stringify(header)}`, (t) => t.deepEqual(read(header), wanted))
}

test('parseChallenges() ends for every header', (t) => {
  let seed = 7
  const letters = ['Bearer ', 'a', '=', '"', ',', ' ', '\\', 'realm', '==', '\t', '(']
  for (let round = 0; round < 3000; round += 1) {
    let header = ''
    for (let length = 0; length < 12; length += 1) {
      seed = (seed * 1103515245 + 12345) % 2147483648
      header += letters[seed % letters.length] ?? ''
    }
    t.true(parseChallenges(header).length < 20)
  }
  t.deepEqual(read(`Bearer ${'a=b,'.repeat(10_000)}`), [])
})
