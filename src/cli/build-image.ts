import { closeSync, constants, fsyncSync, mkdtempSync, openSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { createWriteStream } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import { quote, RktError, syncDirectory } from '../base/index.ts'
import { findProgram, runChild } from './child.ts'

export interface BuildOptions {
  /** Bytes of the image manifest, which go into the image as they are. */
  readonly manifest: Uint8Array
  /** Directory that becomes `rootfs`. */
  readonly rootfs: string
  readonly output: string
  readonly compression: 'none' | 'gzip'
  /** Time of every member, in seconds since 1970. */
  readonly timeSeconds: number
  readonly signal: AbortSignal
}

/**
 * What makes the archive a function of content, modes, owners, links and extended attributes alone: members in the order of their
 * names, one time for all, owners by number, and extension headers without the packer's process id.
 */
function tarArguments(directory: string, { rootfs, timeSeconds }: BuildOptions): readonly string[] {
  return [
    '--create',
    '--format=posix',
    '--pax-option=exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime',
    '--sort=name',
    '--numeric-owner',
    `--mtime=@${timeSeconds}`,
    '--xattrs',
    '--xattrs-include=security.capability',
    '--xattrs-include=user.*',
    // Names of members and targets of hard links, but not of symbolic links.
    '--transform=flags=rhS;s,^\\.,rootfs,',
    '--file=-',
    `--directory=${directory}`,
    'manifest',
    `--directory=${rootfs}`,
    '.',
  ]
}

/**
 * Writes an ACI; the same input gives the same bytes. The output appears whole or not at all.
 *
 * @throws RktError `missing-tool`, `child-failed`, `io`.
 */
export async function buildImage(options: BuildOptions): Promise<void> {
  if (!statSync(options.rootfs, { throwIfNoEntry: false })?.isDirectory()) {
    throw new RktError('io', `cannot build image from root file system ${quote(options.rootfs)}: not a directory`)
  }
  const tar = findProgram('tar', 'tar')
  const scratch = mkdtempSync(join(dirname(options.output), `.${basename(options.output)}-`))
  try {
    writeManifest(join(scratch, 'manifest'), options)
    const temporary = join(scratch, 'image')
    await runChild(tar, {
      args: tarArguments(scratch, options),
      env: { PATH: '/usr/bin:/bin', LC_ALL: 'C' },
      stdio: ['ignore', 'pipe', 2],
      signal: options.signal,
      consume: (output) => {
        const file = createWriteStream(temporary, { mode: 0o644 })
        return options.compression === 'gzip' ? pipeline(output, createGzip({ level: 9 }), file) : pipeline(output, file)
      },
    })
    makeDurable(temporary)
    renameSync(temporary, options.output)
    syncDirectory(dirname(options.output))
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}

/** The manifest's owner and mode are fixed, whoever builds. */
function writeManifest(path: string, { manifest, timeSeconds }: BuildOptions): void {
  writeFileSync(path, manifest, { mode: 0o644 })
  utimesSync(path, timeSeconds, timeSeconds)
}

function makeDurable(path: string): void {
  const fd = openSync(path, constants.O_RDONLY)
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}
