import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { prepare } from './measure.mjs'

/** Unpacks a small Debian system, about 16,000 files with 270 MB, into `target`. */
export function makeDebianTree({ root }, target) {
  const archive = prepare([join(root, 'tools/debian-tree')]).trim()
  mkdirSync(target)
  prepare(['tar', '--extract', '--xattrs', '--numeric-owner', `--file=${archive}`, `--directory=${target}`])
}
