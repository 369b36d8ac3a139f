import test from 'ava'
import {
  parseCapabilitiesFlag,
  parseCpuFlag,
  parseCpuSharesFlag,
  parseMemoryFlag,
  parseMountFlag,
  parseOomScoreAdjFlag,
  parseSeccompFlag,
  parseSupplementaryGIDs,
  parseVolumeFlag,
  replaceIsolator,
} from '../../../src/spec/index.ts'

const usage = { code: 'usage' }

test('parseVolumeFlag() reads host and empty volumes', (t) => {
  t.deepEqual(plain(parseVolumeFlag('data,kind=host,source=/srv/data')), { name: 'data', kind: 'host', source: '/srv/data' })
  t.deepEqual(plain(parseVolumeFlag('d,kind=host,source=/s,readOnly=true,recursive=F')), { name: 'd', readOnly: true, recursive: false, kind: 'host', source: '/s' })
  t.deepEqual(plain(parseVolumeFlag('tmp,kind=empty')), { name: 'tmp', kind: 'empty' })
  t.deepEqual(plain(parseVolumeFlag('d,kind=host,source=/s,propagation=rslave')), { name: 'd', kind: 'host', source: '/s', propagation: 'slave' })
  t.deepEqual(plain(parseVolumeFlag('tmp,kind=empty,mode=0700,uid=5,gid=6')), { name: 'tmp', kind: 'empty', mode: '0700', uid: 5, gid: 6 })
})

test('parseVolumeFlag() takes values as they are: colons, blanks, percent and plus signs', (t) => {
  const volume = parseVolumeFlag('d,kind=host,source=/a:b c/%2C+=&;d')
  t.is(volume.kind === 'host' ? volume.source : '', '/a:b c/%2C+=&;d')
})

test('parseVolumeFlag() refuses in the words of the original', (t) => {
  const cases: readonly (readonly [string, RegExp])[] = [
    ['', /kind ""/],
    ['data', /unrecognized volume kind "": should be one of "empty", "host"/],
    ['data,kind=tmpfs', /unrecognized volume kind "tmpfs": should be one of "empty", "host"/],
    ['data,kind', /malformed string ".*" - has a label without a value: kind/],
    ['Data,kind=empty', /name: "Data"; expected an AC name/],
    ['data,kind=host', /source for host volume cannot be empty/],
    ['data,kind=host,source=srv', /expected an absolute path/],
    ['data,kind=empty,source=/srv', /source for empty volume must be empty/],
    ['data,kind=host,source=/srv,mode=0755', /mode for host volume cannot be set/],
    ['data,kind=host,source=/srv,uid=0', /uid for host volume cannot be set/],
    ['data,kind=empty,speed=fast', /unknown volume parameter "speed"/],
    ['data,kind=empty,kind=host', /label kind with multiple values \["empty" "host"\]/],
    ['data,kind=host,source=/srv,readOnly=yes', /"yes": not a boolean/],
    ['data,kind=empty,uid=root', /"root": not a number/],
    ['data,kind=empty,uid=-1', /expected a whole number from 0/],
    ['data,kind=empty,mode=rwx', /expected octal permission bits/],
    ['data,kind=empty,__proto__=x', /unknown volume parameter "__proto__"/],
    ['data,kind=empty,constructor=x', /unknown volume parameter "constructor"/],
  ]
  for (const [flag, message] of cases.slice(1)) t.throws(() => parseVolumeFlag(flag), { ...usage, message }, flag)
  for (const [flag] of cases) t.throws(() => parseVolumeFlag(flag), { ...usage, message: /^invalid value in --volume flag / }, flag)
})

test('parseMountFlag() reads a URL query with commas, escapes included', (t) => {
  t.deepEqual(plain(parseMountFlag('volume=data,target=/var/lib')), { volume: 'data', path: '/var/lib' })
  t.deepEqual(plain(parseMountFlag('target=/a%2Cb%3Ac+d,volume=data')), { volume: 'data', path: '/a,b:c d' })
  t.deepEqual(plain(parseMountFlag('volume=data,target=/a:b=c')), { volume: 'data', path: '/a:b=c' })
})

test('parseMountFlag() refuses in the words of the original', (t) => {
  t.throws(() => parseMountFlag('volume=data,to=/x'), { ...usage, message: 'unknown mount parameter "to"' })
  t.throws(() => parseMountFlag('volume=Data,target=/x'), { ...usage, message: /^invalid volume name "Data" in --mount flag / })
  t.throws(() => parseMountFlag('target=/x'), { ...usage, message: /^invalid volume name ""/ })
  t.throws(() => parseMountFlag('volume=data'), { ...usage, message: /no target/ })
  t.throws(() => parseMountFlag('volume=data,target=/%zz'), { ...usage, message: /invalid URL escape/ })
  t.throws(() => parseMountFlag('volume=data,target=/a%00b'), { ...usage, message: /no target/ })
  t.throws(() => parseMountFlag('volume=data,target=/a,target=/b'), { ...usage, message: 'label target with multiple values ["/a" "/b"]' })
})

test('parseSeccompFlag() reads mode, errno and calls in any order', (t) => {
  t.deepEqual(parseSeccompFlag('mode=retain,errno=EPERM,chmod,chown').value, { set: ['chmod', 'chown'], errno: 'EPERM' })
  t.like(parseSeccompFlag('@docker/default-blacklist,mode=remove'), { kind: 'seccomp-remove', set: ['@docker/default-blacklist'], name: 'os/linux/seccomp-remove-set' })
})

test('parseSeccompFlag() refuses in the words of the original', (t) => {
  for (const flag of ['chmod', 'mode=allow,chmod', 'mode=,chmod']) t.throws(() => parseSeccompFlag(flag), { ...usage, message: /^invalid seccomp mode command-line override/ }, flag)
  for (const flag of ['mode=retain', 'mode=retain,', 'mode=retain,errno=eperm,chmod', 'mode=retain,mode=remove,chmod', 'mode=retain,a=b']) {
    t.throws(() => parseSeccompFlag(flag), { ...usage, message: /^invalid seccomp command-line override/ }, flag)
  }
})

test('parseMemoryFlag() suspects a limit below one page', (t) => {
  t.like(parseMemoryFlag('16Mi'), { kind: 'memory', limitBytes: 16_777_216, value: { default: false, request: '16Mi', limit: '16Mi' } })
  t.throws(() => parseMemoryFlag('16m'), { ...usage, message: 'memory limit of 1 bytes too low. Try a reasonable value, such as --memory=16M' })
  t.throws(() => parseMemoryFlag('lots'), usage)
})

test('parseCpuFlag(), parseCpuSharesFlag() and parseOomScoreAdjFlag() bound their numbers', (t) => {
  t.like(parseCpuFlag('500m'), { kind: 'cpu', limitMillis: 500 })
  t.throws(() => parseCpuFlag('0'), usage)
  t.like(parseCpuSharesFlag('262144'), { kind: 'cpu-shares', shares: 262144 })
  for (const text of ['1', '262145', '3.5', '', 'x']) t.throws(() => parseCpuSharesFlag(text), usage, text)
  t.like(parseOomScoreAdjFlag('-1000'), { kind: 'oom-score-adj', score: -1000 })
  for (const text of ['-1001', '1001', 'NaN', '1e2']) t.throws(() => parseOomScoreAdjFlag(text), usage, text)
})

test('parseCapabilitiesFlag() reads names of capabilities', (t) => {
  t.like(parseCapabilitiesFlag('CAP_KILL,CAP_NET_ADMIN', { mode: 'retain' }), { kind: 'capabilities-retain', set: ['CAP_KILL', 'CAP_NET_ADMIN'] })
  t.like(parseCapabilitiesFlag('cap_kill, Cap_Chown', { mode: 'remove' }), { value: { set: ['CAP_KILL', 'CAP_CHOWN'] } })
  for (const text of ['', 'KILL', 'CAP_KILL,', 'CAP_KILL CAP_CHOWN']) t.throws(() => parseCapabilitiesFlag(text, { mode: 'remove' }), usage, text)
})

test('parseSupplementaryGIDs() reads group ids', (t) => {
  t.deepEqual(parseSupplementaryGIDs('0,1000,4294967294'), [0, 1000, 4294967294])
  for (const text of ['', 'wheel', '1,', '-1', '4294967295', '1.0', '99999999999']) t.throws(() => parseSupplementaryGIDs(text), usage, text)
})

test('replaceIsolator() removes all that speak of the same thing', (t) => {
  const old = [parseCapabilitiesFlag('CAP_KILL', { mode: 'retain' }), parseCpuFlag('1'), parseSeccompFlag('mode=remove,open')]
  const kinds = (isolators: readonly { readonly kind: string }[]): readonly string[] => isolators.map((one) => one.kind)
  t.deepEqual(kinds(replaceIsolator(old, parseCapabilitiesFlag('CAP_KILL', { mode: 'remove' }))), ['cpu', 'seccomp-remove', 'capabilities-remove'])
  t.deepEqual(kinds(replaceIsolator(old, parseSeccompFlag('mode=retain,open'))), ['capabilities-retain', 'cpu', 'seccomp-retain'])
  t.deepEqual(kinds(replaceIsolator(old, parseMemoryFlag('1G'))), ['capabilities-retain', 'cpu', 'seccomp-remove', 'memory'])
})

/** The value without its brands. */
function plain(value: unknown): unknown {
  return value
}
