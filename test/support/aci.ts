import { execFileSync } from 'node:child_process'
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

export interface AciOptions {
  /** Fields that replace those of the default manifest; `app` is merged field by field. */
  readonly manifest?: Readonly<Record<string, unknown>> & { readonly app?: Readonly<Record<string, unknown>> }
  /** Files of the root tree: path in the image to content, or to the host's file that is copied with its mode. */
  readonly files?: Readonly<Record<string, string | { readonly copy: string }>>
  readonly compression?: 'gzip' | 'none'
  /** Busybox and its applets; true unless said otherwise. */
  readonly busybox?: boolean
}

const made = new Map<string, string>()
let home: string | undefined

/** Path of an ACI with busybox in it; the same options give the same file, which lives as long as the test process. */
export function makeAci(options: AciOptions = {}): string {
  const key = JSON.stringify(options)
  const known = made.get(key)
  if (known !== undefined) return known
  const place = mkdtempSync(join(homeOfImages(), 'image-'))
  writeTree(join(place, 'rootfs'), options)
  writeFileSync(join(place, 'manifest'), JSON.stringify(aciManifest(options.manifest)))
  const path = join(place, 'image.aci')
  const format = ['--sort=name', '--owner=0', '--group=0', '--numeric-owner', '--mtime=@0', ...(options.compression === 'none' ? [] : ['--gzip'])]
  execFileSync('tar', ['--create', `--file=${path}`, `--directory=${place}`, ...format, 'manifest', 'rootfs'])
  rmSync(join(place, 'rootfs'), { recursive: true })
  made.set(key, path)
  return path
}

/** The default manifest with some fields replaced. */
export function aciManifest(fields: AciOptions['manifest'] = {}): unknown {
  const { app, ...rest } = fields
  return {
    acKind: 'ImageManifest',
    acVersion: '0.8.11',
    name: 'example.com/busybox',
    labels: [
      { name: 'version', value: '1.0.0' },
      { name: 'os', value: 'linux' },
      { name: 'arch', value: process.arch === 'arm64' ? 'aarch64' : 'amd64' },
    ],
    ...rest,
    app: { exec: ['/bin/busybox', 'true'], user: '0', group: '0', ...app },
  }
}

function homeOfImages(): string {
  if (home === undefined) {
    const directory = mkdtempSync(join(tmpdir(), 'rkt-images-'))
    process.once('exit', () => rmSync(directory, { recursive: true, force: true }))
    home = directory
  }
  return home
}

function writeTree(rootfs: string, options: AciOptions): void {
  mkdirSync(join(rootfs, 'etc'), { recursive: true })
  mkdirSync(join(rootfs, 'tmp'))
  chmodSync(join(rootfs, 'tmp'), 0o1777)
  writeFileSync(join(rootfs, 'etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000:user:/home/user:/bin/sh\n')
  writeFileSync(join(rootfs, 'etc/group'), 'root:x:0:\nuser:x:1000:\nextra:x:2000:user\n')
  if (options.busybox !== false) addBusybox(join(rootfs, 'bin'))
  for (const [path, content] of Object.entries(options.files ?? {})) {
    const target = join(rootfs, path)
    mkdirSync(dirname(target), { recursive: true })
    if (typeof content === 'string') writeFileSync(target, content)
    else copyFileSync(content.copy, target)
  }
}

function addBusybox(bin: string): void {
  mkdirSync(bin)
  copyFileSync('/bin/busybox', join(bin, 'busybox'))
  const applets = execFileSync('/bin/busybox', ['--list'], { encoding: 'utf8' }).trimEnd().split('\n')
  for (const applet of applets) if (applet !== 'busybox') symlinkSync('busybox', join(bin, applet))
}
