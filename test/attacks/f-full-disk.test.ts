import { execFileSync } from 'node:child_process'
import { mkdirSync, statfsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { makeAci } from '../support/aci.ts'
import { podDirectories, shellWords } from '../support/pod-scene.ts'
import { rkt, type RunResult } from '../support/run.ts'
import { mountsBelow, temporaryDirectory } from '../support/temp.ts'

const place = temporaryDirectory()
test.after.always(() => place[Symbol.dispose]())

interface SmallDisk {
  readonly dir: string
  call(words: readonly string[]): Promise<RunResult>
  /** Leaves so many pages. */
  fillBut(pages: number): void
  empty(): void
}

/** A data directory on a file system of its own, which a file beside it fills. */
async function openSmallDisk(name: string): Promise<SmallDisk & { readonly image: string }> {
  const disk = place.in(name)
  mkdirSync(disk)
  execFileSync('/bin/mount', ['-t', 'tmpfs', '-o', 'size=16m,mode=0755', 'tmpfs', disk])
  const dir = join(disk, 'data')
  const call: SmallDisk['call'] = (words) => rkt(['--insecure-options=image', ...words], { dir })
  const fetched = await call(['fetch', '--full', makeAci()])
  if (fetched.code !== 0) throw new Error(fetched.stderr)
  const filler = join(disk, 'filler')
  return {
    dir,
    image: fetched.stdout.trim(),
    call,
    empty: () => writeFileSync(filler, ''),
    fillBut: (pages) => {
      writeFileSync(filler, '')
      const { bavail, bsize } = statfsSync(disk)
      writeFileSync(filler, Buffer.alloc(Math.max(0, bavail - pages) * bsize))
    },
  }
}

// A start needs some dozen pages, a page or two at each of its writes: manifest, records, plan, directories, what the launcher tells.
test('F7: a disk that is full at any write of a start ends it in words or not at all, and is no hindrance afterwards', async (t) => {
  const disk = await openSmallDisk('start')
  const outcomes = new Map<string, number>()
  for (const pages of [0, 1, 2, 4, 8, 14, 24, 40]) {
    disk.fillBut(pages)
    const { code, stdout, stderr } = await disk.call(['run', '--net=none', disk.image, ...shellWords('echo started; exit 3')])
    const what = code === 3 ? 'ran' : 'refused'
    outcomes.set(what, (outcomes.get(what) ?? 0) + 1)
    if (code === 3) {
      t.is(stdout, 'started\n', `${pages} pages`)
    } else {
      t.is(code, 254, `${pages} pages: ${stderr}`)
      t.regex(stderr, /no space left/i, `${pages} pages`)
      t.notRegex(stderr, /\n\s+at |Error:/, 'no stack of calls')
    }
    t.is((await disk.call(['list'])).code, 0, `${pages} pages`)
    disk.empty()
    const collected = await disk.call(['gc', '--grace-period=0s', '--expire-prepared=0s'])
    t.is(collected.code, 0, collected.stderr)
    t.deepEqual(podDirectories(disk.dir).filter((path) => !path.includes('/embryo/')), [], `${pages} pages: ${collected.stderr}`)
  }
  t.log([...outcomes].join(' '))
  t.true((outcomes.get('refused') ?? 0) > 2 && (outcomes.get('ran') ?? 0) > 0, [...outcomes].join(' '))
  t.is((await disk.call(['run', '--rm', '--net=none', disk.image, ...shellWords('exit 4')])).code, 4)
  t.deepEqual(mountsBelow(disk.dir), [])
})

test('F7: an app that fills the disk of its pod is told so, its neighbours and the commands go on, and its end makes room', async (t) => {
  const disk = await openSmallDisk('app')
  const uuidFile = place.in('uuid')
  const fill = await disk.call(['run', '--net=none', `--uuid-file-save=${uuidFile}`, disk.image, ...shellWords('cat /dev/zero > /full; echo status $?; echo still here; exit 5')])
  t.is(fill.code, 5, fill.stderr)
  t.is(fill.stdout, 'status 1\nstill here\n')
  t.regex(fill.stderr, /No space left on device/)
  t.is(statfsSync(disk.dir).bavail, 0)
  t.is((await disk.call(['list'])).code, 0)
  t.regex((await disk.call(['status', `--uuid-file=${uuidFile}`])).stdout, /^state=exited$/m)
  const collected = await disk.call(['gc', '--grace-period=0s'])
  t.is(collected.code, 0, collected.stderr)
  t.true(statfsSync(disk.dir).bavail > 1000, 'its room is free again')
  t.deepEqual(podDirectories(disk.dir), [])
})
