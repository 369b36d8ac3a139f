import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { makeAci, type AciOptions } from './aci.ts'
import { openGpg, type Gpg } from './gpg.ts'
import { makeAuthority } from './https.ts'
import { rktProgram } from './paths.ts'
import { rkt, type RunOptions, type RunResult } from './run.ts'
import { temporaryDirectory, type TemporaryDirectory } from './temp.ts'

/** Names that lead to the publisher's server; it has no certificate for the last one. */
const hosts = ['images.example', 'other.example', 'wrong.example']

/** A publisher at `images.example`, in a network of its own, and a machine that knows it by `/etc/hosts` and trusts its authority. */
export interface PublisherScene extends AsyncDisposable {
  readonly place: TemporaryDirectory
  readonly gpg: Gpg
  /** Runs the command in that network with a data directory of the scene. */
  rkt(args: readonly string[], options?: RunOptions): Promise<RunResult>
  /** Puts a file on the server, `HOST/PATH`. */
  publish(path: string, content: string | Uint8Array): void
  /** Publishes the page of a name with these tags, each `[KIND, CONTENT]`. */
  page(name: string, tags: readonly (readonly [string, string])[], around?: string): void
  /** Publishes a signed image as `images.example/files/FILE`. */
  image(file: string, signer: string, options?: AciOptions): void
  redirect(targets: Readonly<Record<string, string>>): void
  /** Requests so far, `SCHEME HOST/PATH AUTHORIZATION`, and forgets them. */
  asked(): readonly string[]
  /** Paths of the keys that are stored, below `trustedkeys`. */
  keys(): readonly string[]
}

export async function openPublisher(): Promise<PublisherScene> {
  const place = temporaryDirectory()
  const gpg = openGpg()
  const authority = makeAuthority(hosts.slice(0, 2))
  const site = place.in('site')
  mkdirSync(site)
  writeFileSync(place.in('hosts'), hosts.map((host) => `127.0.0.1 ${host}\n`).join(''))
  const server = fileURLToPath(new URL('publisher.js', import.meta.url))
  const prepare = `ip link set lo up && mount --bind ${place.in('hosts')} /etc/hosts && mount --bind ${authority.caFile} /etc/ssl/certs/ca-certificates.crt && exec "$@"`
  const command = ['/bin/sh', '-c', prepare, 'sh', process.execPath, server, site, authority.keyFile, authority.certFile]
  const child = spawn('/usr/bin/unshare', ['--mount', '--net', '--', ...command], { stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = once(child, 'exit')
  const started = await Promise.race([once(child.stdout, 'data'), ended.then(() => undefined)])
  if (started === undefined) throw new Error('the server did not start')
  const program = place.in('rkt')
  writeFileSync(program, `#!/bin/sh\nexec /usr/bin/nsenter --target=${child.pid} --mount --net -- ${rktProgram} "$@"\n`)
  chmodSync(program, 0o755)
  const publish: PublisherScene['publish'] = (path, content) => {
    mkdirSync(dirname(join(site, path)), { recursive: true })
    writeFileSync(join(site, path), content)
  }
  return {
    place,
    gpg,
    rkt: (args, options) => rkt(args, { dir: place.in('data'), program, ...options }),
    publish,
    page: (name, tags, around = '') =>
      publish(`${name}.html`, `<!DOCTYPE html><html><head>${around}${tags.map(([kind, content]) => `<meta name="${kind}" content="${content}">`).join('\n')}</head><body></body></html>`),
    image: (file, key, options) => {
      const content = readFileSync(makeAci(options))
      publish(`images.example/files/${file}`, content)
      publish(`images.example/files/${file}.asc`, gpg.sign(content, { key }))
    },
    redirect: (targets) => publish('redirects.json', JSON.stringify(targets)),
    asked: () => {
      const lines = existsSync(join(site, 'asked')) ? readFileSync(join(site, 'asked'), 'utf8').split('\n').filter((line) => line !== '') : []
      writeFileSync(join(site, 'asked'), '')
      return lines
    },
    keys: () => {
      const directory = place.in('data.config', 'local', 'trustedkeys')
      return existsSync(directory) ? readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1)) : []
    },
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL')
      await ended
      gpg[Symbol.dispose]()
      authority[Symbol.dispose]()
      place[Symbol.dispose]()
    },
  }
}
