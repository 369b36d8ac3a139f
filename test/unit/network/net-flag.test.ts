import test from 'ava'
import { isRktError } from '../../../src/base/index.ts'
import { parseNetFlag } from '../../../src/network/index.ts'

test('parseNetFlag() takes no flag as the default network', (t) => {
  t.deepEqual(parseNetFlag([]), { kind: 'networks', names: [{ name: 'default', args: '' }] })
})

test('parseNetFlag() knows none and host', (t) => {
  t.deepEqual(parseNetFlag(['none']), { kind: 'none' })
  t.deepEqual(parseNetFlag(['host']), { kind: 'host' })
})

test('parseNetFlag() joins repeated flags and keeps arguments', (t) => {
  t.deepEqual(parseNetFlag(['a:IP=10.0.0.5;X=1,b', 'c']), {
    kind: 'networks',
    names: [
      { name: 'a', args: 'IP=10.0.0.5;X=1' },
      { name: 'b', args: '' },
      { name: 'c', args: '' },
    ],
  })
})

const refused: readonly [string[], string][] = [
  [[''], 'netname must not be empty'],
  [['a,'], 'netname must not be empty'],
  [[':IP=1'], 'netname must not be empty'],
  [['a', 'a'], 'found duplicate netname "a"'],
  [['host:IP=1'], 'arguments are not supported by special netname "host"'],
  [['all:IP=1'], 'arguments are not supported by special netname "all"'],
  [['a:b:c'], 'network "a" provided with invalid arguments: "b:c"'],
  [['none,default'], 'cannot use --net="none","default": netname "none" excludes all others'],
]

for (const [values, message] of refused) {
  test(`parseNetFlag() refuses ${JSON.stringify(values)}`, (t) => {
    const error = t.throws(() => parseNetFlag(values))
    t.true(isRktError(error, 'usage'))
    t.is(error?.message, message)
  })
}
