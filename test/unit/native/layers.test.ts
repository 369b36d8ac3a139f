import test from 'ava'
import { execFileSync } from 'node:child_process'
import { closeSync, mkdirSync, openSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { binding } from '../../../src/base/index.ts'
import { directoriesAt } from '../../../src/store/oci/directories-at.ts'
import { temporaryDirectory } from '../../support/temp.ts'

/** Trees that lie over each other; `use` gets descriptors and paths, the topmost first. */
function withTrees(fill: ((root: string) => void)[], use: (fds: readonly number[], roots: readonly string[]) => void): void {
  using place = temporaryDirectory()
  const roots = fill.map((make, index) => {
    const root = place.in(`tree-${index}`)
    mkdirSync(root)
    make(root)
    return root
  })
  const fds = roots.map((root) => openSync(root, 'r'))
  try {
    use(fds, roots)
  } finally {
    for (const fd of fds) closeSync(fd)
  }
}

const file = (path: string, text: string) => (root: string): void => {
  mkdirSync(join(root, path, '..'), { recursive: true })
  writeFileSync(join(root, path), text)
}
const whiteout = (root: string, path: string): unknown => execFileSync('mknod', [join(root, path), 'c', '0', '0'])
const opaque = (root: string, path: string): unknown => execFileSync('setfattr', ['-n', 'user.overlay.opaque', '-v', 'y', join(root, path)])
const read = (fds: readonly number[], path: string): string | undefined => {
  const bytes = binding().readInRoot(fds, path, 100)
  return bytes === null ? undefined : Buffer.from(bytes).toString()
}

test('the topmost tree that has a file shows it, and trees below show the rest', (t) => {
  withTrees([file('etc/a', 'upper'), (root) => [file('etc/a', 'lower'), file('etc/b', 'lower')].forEach((make) => make(root))], (fds) => {
    t.is(read(fds, 'etc/a'), 'upper')
    t.is(read(fds, '/etc/../etc/b'), 'lower')
    t.is(read(fds, 'etc/c'), undefined)
    t.is(binding().statInRoot(fds, '/')?.mode === undefined, false)
  })
})

test('whiteouts, opaque directories and files over directories hide what lies below', (t) => {
  const upper = (root: string): void => {
    mkdirSync(join(root, 'o'))
    opaque(root, 'o')
    whiteout(root, 'w')
    writeFileSync(join(root, 'f'), '')
  }
  withTrees([upper, (root) => ['o/x', 'w/x', 'f/x', 'k/x'].forEach((path) => file(path, 'lower')(root))], (fds, roots) => {
    for (const path of ['o/x', 'w/x', 'w', 'f/x']) t.is(read(fds, path), undefined, path)
    t.is(read(fds, 'k/x'), 'lower')
    t.deepEqual(directoriesAt(roots, '/o'), [join(roots[0] ?? '', 'o')])
    t.deepEqual(directoriesAt(roots, '/w'), [])
    t.deepEqual(directoriesAt(roots, '/k'), [join(roots[1] ?? '', 'k')])
  })
})

test('links are followed across trees and never out of them', (t) => {
  using outside = temporaryDirectory()
  writeFileSync(outside.in('secret'), 'secret')
  const upper = (root: string): void => {
    symlinkSync('/lower/real', join(root, 'absolute'))
    symlinkSync('../../../lower', join(root, 'climb'))
    symlinkSync(outside.in('secret'), join(root, 'host'))
    symlinkSync('loop', join(root, 'loop'))
  }
  withTrees([upper, (root) => { file('lower/real', 'found')(root); symlinkSync('real', join(root, 'lower/link')) }], (fds, roots) => {
    t.is(read(fds, 'absolute'), 'found')
    t.is(read(fds, 'climb/link'), 'found')
    t.is(read(fds, 'climb/link/x'), undefined)
    t.is(read(fds, 'host'), undefined)
    t.throws(() => read(fds, 'loop'), { code: 'ELOOP' })
    t.deepEqual(directoriesAt(roots, 'climb/.'), [join(roots[1] ?? '', 'lower')])
    t.deepEqual(directoriesAt(roots, 'loop'), [])
  })
})

test('B10: a FIFO and a file that is too large are refused in several trees as in one', (t) => {
  withTrees([(root) => void execFileSync('mkfifo', [join(root, 'fifo')]), file('large', 'x'.repeat(200))], (fds) => {
    t.throws(() => read(fds, 'fifo'), { code: 'EINVAL' })
    t.throws(() => read(fds, 'large'), { code: 'EFBIG' })
  })
})

test('overlayView() shows several trees as one, 100 of them too', (t) => {
  const trees = Array.from({ length: 100 }, (_, index) => file(`d/${index}`, String(index)))
  withTrees(trees, (fds) => {
    const view = binding().overlayView(fds)
    try {
      t.is(execFileSync('ls', [`/proc/self/fd/3/d`], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit', view] }).trim().split('\n').length, 100)
    } finally {
      closeSync(view)
    }
  })
})
