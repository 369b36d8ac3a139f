import test from 'ava'
import { parseEnvFile, parseSetEnv } from '../../../src/pod/index.ts'
import { mergeEnvironment } from '../../../src/pod/environment.ts'

const from = (text: string): { name: string; value: string }[] => [...text].map((name) => ({ name, value: '' }))

test('each source of variables gives way to the stronger one', (t) => {
  const set = (source: string, names: string): { name: string; value: string }[] => from(names).map(({ name }) => ({ name, value: source }))
  const merged = mergeEnvironment({
    inherited: set('inherited', 'ABCDEF'),
    image: set('image', 'BCDE'),
    app: set('app', 'CDE'),
    file: set('file', 'DE'),
    set: set('set', 'E'),
  })
  t.deepEqual(Object.fromEntries(merged.map(({ name, value }) => [name, value])), { A: 'inherited', B: 'image', C: 'app', D: 'file', E: 'set', F: 'inherited' })
})

test('inherited variables whose names no manifest may hold are left out', (t) => {
  const inherited = [{ name: 'BASH_FUNC_x%%', value: '() { :; }' }, { name: 'OK', value: '1' }]
  t.deepEqual(mergeEnvironment({ inherited, image: [], app: [], file: [], set: [] }), [{ name: 'OK', value: '1' }])
})

test('parseSetEnv() keeps everything after the first equals sign', (t) => {
  t.deepEqual(parseSetEnv(['A=b=c', 'B=']), [{ name: 'A', value: 'b=c' }, { name: 'B', value: '' }])
  t.throws(() => parseSetEnv(['A']), { message: /must be specified as key=value$/ })
  t.throws(() => parseSetEnv(['=x']), { message: /must be specified as key=value$/ })
  t.throws(() => parseSetEnv(['A=1', 'A=2']), { message: /key "A" already set$/ })
})

test('parseEnvFile() skips blank lines and comments, and names the file in its complaints', (t) => {
  t.deepEqual(parseEnvFile('# one\n\n; two\nA=1\nB= 2 \n', '/etc/env'), [{ name: 'A', value: '1' }, { name: 'B', value: ' 2' }])
  t.throws(() => parseEnvFile('A', '/etc/env'), { message: 'environment variable must be specified as name=value (file "/etc/env")' })
  t.throws(() => parseEnvFile('A=1\nA=2', '/etc/env'), { message: /already defined \(file "\/etc\/env"\)$/ })
})
