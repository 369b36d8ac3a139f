import test from 'ava'
import { callerEnvironment } from '../../../src/cli/caller-environment.ts'

test('callerEnvironment() gives the variables that the front-end kept from Node back their names', (t) => {
  const env = { RKT_CALLER_FD: '3', RKT_CALLER_ENV_NODE_OPTIONS: '--x', RKT_CALLER_ENV_LD_PRELOAD: 'y', HOME: '/root', GONE: undefined }
  t.deepEqual(callerEnvironment(env), [
    { name: 'NODE_OPTIONS', value: '--x' },
    { name: 'LD_PRELOAD', value: 'y' },
    { name: 'HOME', value: '/root' },
  ])
})
