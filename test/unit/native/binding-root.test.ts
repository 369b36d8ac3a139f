import test from 'ava'
import { execFileSync } from 'node:child_process'
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { binding } from '../../../src/base/index.ts'

interface Tree extends Disposable {
  readonly root: string
  readonly outside: string
  readonly fd: number
}

function tree(): Tree {
  const base = mkdtempSync(join(tmpdir(), 'rkt-root-'))
  const root = join(base, 'root')
  mkdirSync(join(root, 'etc'), { recursive: true })
  writeFileSync(join(base, 'secret'), 'host')
  writeFileSync(join(root, 'etc/passwd'), 'root:x:0:0::/:/bin/sh\n')
  const fd = openSync(root, 'r')
  return {
    root,
    outside: join(base, 'secret'),
    fd,
    [Symbol.dispose]: () => {
      closeSync(fd)
      rmSync(base, { recursive: true, force: true })
    },
  }
}

const text = (bytes: Uint8Array | null): string | null => (bytes === null ? null : Buffer.from(bytes).toString())

test('readInRoot() reads a file and answers null where there is none', (t) => {
  using box = tree()
  t.is(text(binding().readInRoot([box.fd], '/etc/passwd', 100)), 'root:x:0:0::/:/bin/sh\n')
  t.is(binding().readInRoot([box.fd], '/etc/group', 100), null)
  t.is(binding().readInRoot([box.fd], '/etc/passwd/x', 100), null)
})

test('readInRoot() resolves absolute links and dots inside the tree', (t) => {
  using box = tree()
  symlinkSync('/etc/passwd', join(box.root, 'absolute'))
  symlinkSync('../../../../etc/passwd', join(box.root, 'dots'))
  t.is(text(binding().readInRoot([box.fd], 'absolute', 100)), text(binding().readInRoot([box.fd], 'dots', 100)))
  symlinkSync(box.outside, join(box.root, 'host'))
  symlinkSync('../secret', join(box.root, 'climb'))
  t.is(binding().readInRoot([box.fd], 'host', 100), null)
  t.is(binding().readInRoot([box.fd], 'climb', 100), null)
})

test('B10: readInRoot() refuses FIFO, directory, endless link and a file that is too large, at once', (t) => {
  using box = tree()
  execFileSync('mkfifo', [join(box.root, 'fifo')])
  symlinkSync('loop', join(box.root, 'loop'))
  t.throws(() => binding().readInRoot([box.fd], 'fifo', 100), { code: 'EINVAL' })
  t.throws(() => binding().readInRoot([box.fd], 'etc', 100), { code: 'EISDIR' })
  t.throws(() => binding().readInRoot([box.fd], 'loop', 100), { code: 'ELOOP' })
  t.throws(() => binding().readInRoot([box.fd], 'etc/passwd', 3), { code: 'EFBIG' })
})

test('readInRoot() crosses neither a mount point nor a magic link', (t) => {
  const fd = openSync('/', 'r')
  t.throws(() => binding().readInRoot([fd], '/proc/self/status', 100_000), { code: 'EXDEV' })
  const proc = openSync('/proc', 'r')
  t.throws(() => binding().readInRoot([proc], 'self/cwd/x', 100), { code: 'ELOOP' })
  closeSync(fd)
  closeSync(proc)
})

test('statInRoot() tells type, bits, owner and size of what a link leads to', (t) => {
  using box = tree()
  symlinkSync('/etc', join(box.root, 'link'))
  const directory = binding().statInRoot([box.fd], 'link')
  t.is((directory?.mode ?? 0) & 0o170000, 0o040000)
  t.like(binding().statInRoot([box.fd], 'etc/passwd'), { uid: process.getuid?.(), size: 22 })
  t.is(binding().statInRoot([box.fd], 'absent'), null)
})
