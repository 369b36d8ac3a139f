import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import test from 'ava'
import { makeInitrd } from '../../../../src/stage1/kvm/initrd.ts'
import { guestMemoryBytes, machineArguments } from '../../../../src/stage1/kvm/machine.ts'
import { appendVerity } from '../../../../src/stage1/kvm/verity.ts'
import { temporaryDirectory } from '../../../support/temp.ts'

const salt = Buffer.alloc(32, 7)
const block = (byte: number): Buffer => Buffer.alloc(4096, byte)
const hash = (data: Buffer): Buffer => createHash('sha256').update(salt).update(data).digest()

test('appendVerity() hashes each block with the salt before it, and the blocks of hashes up to one', (t) => {
  using place = temporaryDirectory()
  writeFileSync(place.in('disk'), Buffer.concat([block(1), block(2), Buffer.from('short')]))
  const { blocks, root } = appendVerity(place.in('disk'), salt)
  const last = Buffer.concat([Buffer.from('short'), Buffer.alloc(4091)])
  const level = Buffer.concat([hash(block(1)), hash(block(2)), hash(last), Buffer.alloc(4096 - 96)])
  t.is(blocks, 3)
  t.is(root, hash(level).toString('hex'))
  t.is(statSync(place.in('disk')).size, 4 * 4096)
  t.deepEqual(readFileSync(place.in('disk')).subarray(3 * 4096), level)
})

test('appendVerity() takes the digest of a single block for the root', (t) => {
  using place = temporaryDirectory()
  writeFileSync(place.in('disk'), block(5))
  t.deepEqual(appendVerity(place.in('disk'), salt), { blocks: 1, root: hash(block(5)).toString('hex'), salt: salt.toString('hex') })
  t.is(statSync(place.in('disk')).size, 4096)
})

test('appendVerity() puts the level below the root first', (t) => {
  using place = temporaryDirectory()
  writeFileSync(place.in('disk'), Buffer.alloc(129 * 4096))
  const { blocks, root } = appendVerity(place.in('disk'), salt)
  const disk = readFileSync(place.in('disk'))
  t.is(blocks, 129)
  t.is(disk.byteLength, (129 + 1 + 2) * 4096)
  t.is(root, hash(disk.subarray(129 * 4096, 130 * 4096)).toString('hex'))
  t.deepEqual(disk.subarray(129 * 4096, 129 * 4096 + 32), hash(disk.subarray(130 * 4096, 131 * 4096)))
})

test('makeInitrd() is an archive that cpio reads: the launcher as init', (t) => {
  const archive = makeInitrd(Buffer.from('program'))
  const names = execFileSync('cpio', ['--list', '--quiet'], { input: archive, encoding: 'utf8' }).trim().split('\n')
  t.true(names.includes('init'))
  t.true(names.includes('dev/console'))
})

test('a guest has what its apps may use and 128 MiB, at least 512 MiB', (t) => {
  const mebibyte = 1024 * 1024
  t.is(guestMemoryBytes([]), 512 * mebibyte)
  t.is(guestMemoryBytes([600 * mebibyte, 300 * mebibyte]), 1028 * mebibyte)
})

test('machineArguments() gives disks read-only and doubles the commas of their paths', (t) => {
  const words = machineArguments({ accelerated: false, memoryBytes: 512 * 1024 * 1024, cpus: 2, kernel: '/k', initrd: '/i', disks: ['/a,b'] })
  t.true(words.includes('if=none,id=disk0,format=raw,readonly=on,file=/a,,b'))
  t.is(words[words.indexOf('-m') + 1], '512')
})
