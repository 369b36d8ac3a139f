import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer as createHttpServer, type RequestListener, type Server } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** An authority of the test's own, and a certificate that it signed. */
export interface TestAuthority extends Disposable {
  /** PEM file to trust. */
  readonly caFile: string
  readonly keyFile: string
  readonly certFile: string
  readonly key: Buffer
  readonly cert: Buffer
}

/** Makes both with openssl in a directory that ends with the scope; the certificate is for these names. */
export function makeAuthority(names: readonly string[] = ['localhost']): TestAuthority {
  const directory = mkdtempSync(join(tmpdir(), 'rkt-ca-'))
  const file = (name: string): string => join(directory, name)
  const openssl = (...args: string[]): unknown => execFileSync('openssl', args, { stdio: 'pipe' })
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2']
  openssl('req', '-x509', ...newKey, '-subj', '/CN=rkt test authority', '-keyout', file('ca.key'), '-out', file('ca.pem'))
  openssl(
    ...['req', '-x509', ...newKey, '-subj', '/CN=localhost', '-CA', file('ca.pem'), '-CAkey', file('ca.key')],
    ...['-addext', `subjectAltName=${names.map((name) => `DNS:${name}`).join(',')}`, '-addext', 'basicConstraints=critical,CA:FALSE', '-keyout', file('server.key'), '-out', file('server.pem')],
  )
  return {
    caFile: file('ca.pem'),
    keyFile: file('server.key'),
    certFile: file('server.pem'),
    key: readFileSync(file('server.key')),
    cert: readFileSync(file('server.pem')),
    [Symbol.dispose]: () => rmSync(directory, { recursive: true, force: true }),
  }
}

export interface TestServer extends AsyncDisposable {
  /** `https://localhost:PORT`, without a slash at the end. */
  readonly origin: string
}

/** Serves over https on a free port of localhost until the scope ends. */
export function serveHttps(authority: TestAuthority, handle: RequestListener): Promise<TestServer> {
  return listen(createHttpsServer({ key: authority.key, cert: authority.cert }, handle), 'https')
}

/** As `serveHttps`, without encryption. */
export function serveHttp(handle: RequestListener): Promise<TestServer> {
  return listen(createHttpServer(handle), 'http')
}

async function listen(server: Server, scheme: string): Promise<TestServer> {
  await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve))
  // SAFETY: a server that listens on a port has an address of this shape.
  const { port } = server.address() as AddressInfo
  return {
    origin: `${scheme}://localhost:${port}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}
