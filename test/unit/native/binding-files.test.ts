import test from 'ava'
import { closeSync, fstatSync, ftruncateSync, mkdtempSync, openSync, readFileSync, rmSync, symlinkSync, writeFileSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { binding, LOCK_EX, LOCK_NB, LOCK_SH, LOCK_UN } from '../../../src/base/index.ts'

function scratch(): { readonly path: string } & Disposable {
  const path = mkdtempSync(join(tmpdir(), 'rkt-binding-'))
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) }
}

test('flock() answers false when another description holds the lock, and true after it is released', (t) => {
  using dir = scratch()
  const path = join(dir.path, 'lock')
  writeFileSync(path, '')
  const first = openSync(path, 'r')
  const second = openSync(path, 'r')
  t.true(binding().flock(first, LOCK_EX))
  t.false(binding().flock(second, LOCK_SH | LOCK_NB))
  t.true(binding().flock(first, LOCK_UN))
  t.true(binding().flock(second, LOCK_SH | LOCK_NB))
  t.true(binding().flock(first, LOCK_SH | LOCK_NB))
  closeSync(first)
  closeSync(second)
})

test('flock() names the errno of a closed descriptor', (t) => {
  const error = t.throws(() => binding().flock(9999, LOCK_EX), { code: 'EBADF' })
  t.is(error.message, 'EBADF: bad file descriptor, flock')
})

test('arguments of the wrong type are refused before any system call', (t) => {
  for (const wrong of ['0', 1.5, Number.NaN, -1, 2 ** 31, undefined, null, {}]) {
    t.throws(() => Reflect.apply(binding().flock, undefined, [wrong, LOCK_EX]), { instanceOf: TypeError })
  }
  t.throws(() => Reflect.apply(binding().flock, undefined, [0]), { instanceOf: TypeError })
  t.throws(() => binding().unmount('/tmp\0/x'), { instanceOf: TypeError, message: /NUL/ })
  t.throws(() => Reflect.apply(binding().sealedMemfd, undefined, ['x', [1, 2]]), { instanceOf: TypeError })
})

test('sealedMemfd() holds the content and refuses any change', (t) => {
  const content = Buffer.from('plan\0with bytes')
  const fd = binding().sealedMemfd('plan', content)
  t.deepEqual(readFileSync(fd), content)
  t.throws(() => writeSync(fd, 'x', 0), { code: 'EPERM' })
  t.throws(() => ftruncateSync(fd, 0), { code: 'EPERM' })
  t.is(fstatSync(fd).size, content.byteLength)
  closeSync(fd)
})

test('sealedMemfd() takes a view into a larger buffer, and an empty one', (t) => {
  const view = new Uint8Array([0, 1, 2, 3, 4]).subarray(1, 3)
  const fd = binding().sealedMemfd('view', view)
  t.deepEqual([...readFileSync(fd)], [1, 2])
  const empty = binding().sealedMemfd('empty', new Uint8Array())
  t.is(fstatSync(empty).size, 0)
  closeSync(fd)
  closeSync(empty)
})

test('syncfs() returns for an open directory', (t) => {
  using dir = scratch()
  const fd = openSync(dir.path, 'r')
  t.notThrows(() => binding().syncfs(fd))
  closeSync(fd)
  t.throws(() => binding().syncfs(9999), { code: 'EBADF' })
})

test('unmount() answers false where nothing is mounted, and never follows a link', (t) => {
  using dir = scratch()
  t.false(binding().unmount(dir.path))
  t.false(binding().unmount(join(dir.path, 'absent')))
  symlinkSync('/proc', join(dir.path, 'link'))
  t.false(binding().unmount(join(dir.path, 'link')))
  t.true(readFileSync('/proc/self/stat').byteLength > 0)
})
