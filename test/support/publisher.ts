// A publisher's server, for a network namespace of its own: https on 443 and http on 80, both with the files of one directory.
// Arguments: DIRECTORY KEY CERTIFICATE. Files: `HOST/PATH`, a discovery page being `HOST/PATH.html`; `redirects.json` from `SCHEME://HOST/PATH`
// to a URL; `huge` names a page without end. Every request is a line of the file `asked`.
import { appendFileSync, existsSync, readFileSync } from 'node:fs'
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import { createHash } from 'node:crypto'
import { join } from 'node:path'

const [directory = '', key = '', certificate = ''] = process.argv.slice(2)

function serve(scheme: 'http' | 'https') {
  return (request: IncomingMessage, response: ServerResponse): void => {
    const url = new URL(request.url ?? '', `${scheme}://${request.headers.host ?? ''}`)
    const place = `${url.host}${url.pathname}`.replace(/\/$/, '')
    appendFileSync(join(directory, 'asked'), `${scheme} ${place} ${request.headers.authorization ?? '-'}\n`)
    const { [`${scheme}://${place}`]: target } = readRedirects()
    if (target !== undefined) return void response.writeHead(302, { Location: target }).end()
    if (existsSync(join(directory, `only-${scheme === 'http' ? 'https' : 'http'}`))) return void response.writeHead(404).end()
    if (existsSync(join(directory, 'huge'))) return sendForever(response)
    const file = join(directory, place + (url.searchParams.get('ac-discovery') === '1' ? '.html' : ''))
    if (!existsSync(file)) return void response.writeHead(404).end()
    const content = readFileSync(file)
    const etag = `"${createHash('sha256').update(content).digest('hex')}"`
    if (request.headers['if-none-match'] === etag) return void response.writeHead(304, { ETag: etag }).end()
    response.writeHead(200, { ETag: etag }).end(content)
  }
}

function readRedirects(): Readonly<Record<string, string>> {
  const file = join(directory, 'redirects.json')
  // SAFETY: the test writes this file.
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Readonly<Record<string, string>>) : {}
}

/** A gigabyte, without saying so before; the file `sent` tells how much went out. */
function sendForever(response: ServerResponse): void {
  const chunk = Buffer.alloc(65_536, '<p>x</p>')
  let sentBytes = 0
  response.on('close', () => appendFileSync(join(directory, 'sent'), `${sentBytes}\n`))
  const send = (): void => {
    while (sentBytes < 1_073_741_824 && !response.destroyed) {
      sentBytes += chunk.byteLength
      if (!response.write(chunk)) return void response.once('drain', send)
    }
    response.end()
  }
  send()
}

createHttpServer(serve('http')).listen(80, '127.0.0.1', () => {
  createHttpsServer({ key: readFileSync(key), cert: readFileSync(certificate) }, serve('https')).listen(443, '127.0.0.1', () => console.log('ready'))
})
