import { execFileSync, spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { setInterval } from 'node:timers/promises'
import type { TestAuthority } from './https.ts'
import type { TemporaryDirectory } from './temp.ts'

/** Debian's registry, on a free port of the loopback address, with its state below the test's own directory. */
export interface DockerRegistry extends AsyncDisposable {
  /** `localhost:PORT`. */
  readonly host: string
}

export interface StartRegistryOptions {
  /** Serves https with this authority's certificate. */
  readonly authority?: TestAuthority
  /** `USER:PASSWORD` that everybody must show. */
  readonly login?: string
}

export async function startRegistry(place: TemporaryDirectory, { authority, login }: StartRegistryOptions = {}): Promise<DockerRegistry> {
  const root = place.in(`registry-${login === undefined ? 'open' : 'locked'}-${authority === undefined ? 'http' : 'https'}`)
  mkdirSync(root)
  const tls = authority === undefined ? {} : { tls: { certificate: authority.certFile, key: authority.keyFile } }
  if (login !== undefined) writeFileSync(`${root}/htpasswd`, execFileSync('htpasswd', ['-Bbn', ...login.split(':')]))
  const auth = login === undefined ? {} : { auth: { htpasswd: { realm: 'test', path: `${root}/htpasswd` } } }
  // JSON is YAML.
  const config = { version: '0.1', log: { level: 'info' }, storage: { filesystem: { rootdirectory: `${root}/state` } }, http: { addr: 'localhost:0', ...tls }, ...auth }
  writeFileSync(`${root}/config.yml`, JSON.stringify(config))
  // A file, not a pipe: what the registry says while a test waits for a program of its own must not hold it up.
  const log = `${root}/log`
  const fd = openSync(log, 'a')
  const child = spawn('/usr/bin/docker-registry', ['serve', `${root}/config.yml`], { stdio: ['ignore', 'ignore', fd], env: { OTEL_TRACES_EXPORTER: 'none' } })
  closeSync(fd)
  const ended = new Promise<void>((resolve) => child.on('exit', () => resolve()))
  for await (const _ of setInterval(20)) {
    const port = /listening on (?:127\.0\.0\.1|\[::1\]):([0-9]+)/.exec(readFileSync(log, 'utf8'))?.[1]
    if (port === undefined && child.exitCode === null) continue
    if (port === undefined) break
    return {
      host: `localhost:${port}`,
      [Symbol.asyncDispose]: async () => {
        child.kill('SIGKILL')
        await ended
      },
    }
  }
  throw new Error(`docker-registry does not start: ${readFileSync(log, 'utf8')}`)
}

/** Runs skopeo with a policy that accepts everything. */
export function skopeo(place: TemporaryDirectory, ...words: readonly string[]): string {
  writeFileSync(place.in('accept.json'), '{"default":[{"type":"insecureAcceptAnything"}]}')
  return execFileSync('/usr/bin/skopeo', ['--policy', place.in('accept.json'), ...words], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], env: { PATH: '/usr/bin:/bin', HOME: place.path, TMPDIR: place.path } })
}

/** A layout made by umoci, whose image `v1` prints what it is asked to with busybox. */
export function makeUmociLayout(place: TemporaryDirectory): string {
  const layout = place.in('umoci')
  mkdirSync(place.in('root', 'bin'), { recursive: true })
  execFileSync('cp', ['/bin/busybox', place.in('root', 'bin')])
  execFileSync('ln', ['-s', 'busybox', place.in('root', 'bin', 'sh')])
  const umoci = (...words: readonly string[]): unknown => execFileSync('/usr/bin/umoci', words, { stdio: 'pipe' })
  umoci('init', '--layout', layout)
  umoci('new', '--image', `${layout}:v1`)
  umoci('insert', '--image', `${layout}:v1`, place.in('root', 'bin'), '/bin')
  writeFileSync(place.in('greeting'), 'from the second layer\n')
  umoci('insert', '--image', `${layout}:v1`, place.in('greeting'), '/greeting')
  umoci('config', '--image', `${layout}:v1`, '--config.entrypoint', '/bin/sh', '--config.entrypoint', '-c', '--config.cmd', 'cat /greeting')
  return layout
}
