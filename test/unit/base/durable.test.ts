import { closeSync, mkdirSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { syncDirectory, writeDurably, writeWhole } from '../../../src/base/index.ts'

function directory(t: ExecutionContext): string {
  const path = mkdtempSync('/tmp/rkt-test-durable-')
  t.teardown(() => rmSync(path, { recursive: true, force: true }))
  return path
}

test('writeDurably() writes text and bytes, and leaves no temporary file', (t) => {
  const path = directory(t)
  writeDurably(join(path, 'a'), 'text')
  writeDurably(join(path, 'a'), Uint8Array.from([0, 255]))
  t.deepEqual([...readFileSync(join(path, 'a'))], [0, 255])
  t.deepEqual(readdirSync(path), ['a'])
})

test('writeDurably() gives the mode that it is told, and no access for others otherwise', (t) => {
  const path = directory(t)
  writeDurably(join(path, 'a'), '')
  writeDurably(join(path, 'b'), '', { mode: 0o600 })
  t.is(statSync(join(path, 'a')).mode & 0o7, 0)
  t.is(statSync(join(path, 'b')).mode & 0o777, 0o600)
})

test('writeDurably() replaces a symbolic link and never writes through it', (t) => {
  const path = directory(t)
  writeFileSync(join(path, 'target'), 'untouched')
  symlinkSync('target', join(path, 'link'))
  writeDurably(join(path, 'link'), 'new')
  t.is(readFileSync(join(path, 'target'), 'utf8'), 'untouched')
  t.is(readFileSync(join(path, 'link'), 'utf8'), 'new')
})

test('writeDurably() leaves the old file and nothing else when it fails', (t) => {
  const path = directory(t)
  mkdirSync(join(path, 'a'))
  t.throws(() => writeDurably(join(path, 'a'), 'x'), { code: 'EISDIR' })
  t.deepEqual(readdirSync(path), ['a'])
  t.throws(() => writeDurably(join(path, 'none/b'), 'x'), { code: 'ENOENT' })
})

test('writeWhole() writes every byte, and syncDirectory() takes directories only', (t) => {
  const path = directory(t)
  const fd = openSync(join(path, 'a'), 'w')
  writeWhole(fd, Buffer.alloc(3_000_000, 'x'))
  writeWhole(fd, new Uint8Array())
  closeSync(fd)
  t.is(statSync(join(path, 'a')).size, 3_000_000)
  t.notThrows(() => syncDirectory(path))
  t.throws(() => syncDirectory(join(path, 'a')), { code: 'ENOTDIR' })
})
