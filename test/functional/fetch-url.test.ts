import test from 'ava'
import { createHash } from 'node:crypto'
import { readFileSync, rmSync } from 'node:fs'
import type { RequestListener } from 'node:http'
import { join } from 'node:path'
import { makeAuthority, serveHttp, serveHttps, type TestAuthority } from '../support/https.ts'
import { filesBelow } from '../support/files.ts'
import { openTestStore, type TestStore } from '../support/store.ts'

const authority: TestAuthority = makeAuthority()
test.after.always(() => authority[Symbol.dispose]())

interface Site {
  readonly files: Map<string, Buffer>
  readonly asked: string[]
  readonly handle: RequestListener
}

/** Serves the signed image of a store as `/app.aci`, with a tag and some seconds of freshness. */
function siteOf(one: TestStore, { maxAge = 0 }: { readonly maxAge?: number } = {}): Site {
  const path = one.signedAci('app')
  const files = new Map([
    ['/app.aci', readFileSync(path)],
    ['/app.aci.asc', readFileSync(`${path}.asc`)],
  ])
  rmSync(path)
  rmSync(`${path}.asc`)
  const asked: string[] = []
  return {
    files,
    asked,
    handle: (request, response) => {
      const url = request.url ?? ''
      asked.push(url)
      const content = files.get(url)
      if (content === undefined) return response.writeHead(404).end()
      const etag = `"${createHash('sha256').update(content).digest('hex')}"`
      response.setHeader('ETag', etag).setHeader('Cache-Control', `max-age=${maxAge}`)
      return request.headers['if-none-match'] === etag ? response.writeHead(304).end() : response.end(content)
    },
  }
}

test('an image is fetched by URL with its signature, and then taken from the store', async (t) => {
  using one = openTestStore()
  const site = siteOf(one)
  await using server = await serveHttps(authority, site.handle)
  const url = `${server.origin}/app.aci`
  const record = await one.acquire(url, { caFiles: [authority.caFile] })
  t.is(record.source.kind === 'url' && record.source.url, url)
  t.deepEqual(site.asked, ['/app.aci.asc', '/app.aci'])
  t.is((await one.acquire(url)).id, record.id)
  t.is((await one.acquire(url, { pullPolicy: 'never' })).id, record.id)
  t.is(site.asked.length, 2)
  t.deepEqual(one.lines, [
    `image: remote fetching from URL "${url}"`,
    `image: downloading signature from ${url}.asc`,
    `image: fetching image from ${url}`,
    'image: downloading ACI',
    'image: signature verified:',
    'image:   Signer <signer@example.com>',
    `image: using image from local store for url ${url}`,
    `image: using image from local store for url ${url}`,
  ])
})

test('a URL that was written with http is fetched as written: its signature is checked, and credentials stay at home', async (t) => {
  using one = openTestStore()
  const site = siteOf(one)
  const sent: (string | undefined)[] = []
  await using server = await serveHttp((request, response) => {
    sent.push(request.headers.authorization)
    return site.handle(request, response)
  })
  const credentials = { find: () => ({ type: 'oauth', token: 'secret' }) as const, now: () => 0 }
  const url = `${server.origin}/app.aci`
  const { verdict } = await one.acquire(url, { credentials, insecure: { image: false, tls: true, http: false } })
  t.is(verdict.kind, 'signed')
  t.deepEqual(sent, [undefined, undefined])
})

test('an update asks the server whether it still has the same image', async (t) => {
  using one = openTestStore()
  const site = siteOf(one)
  await using server = await serveHttps(authority, site.handle)
  const url = `${server.origin}/app.aci`
  const update = { caFiles: [authority.caFile], pullPolicy: 'update' } as const
  const first = await one.acquire(url, update)
  const second = await one.acquire(url, { ...update, now: new Date(Date.now() + 60_000) })
  t.is(second.importedAtMs, first.importedAtMs)
  t.true(second.source.kind === 'url' && first.source.kind === 'url' && second.source.askedAtMs > first.source.askedAtMs)
  const next = one.signedAci('next', { manifest: { labels: [{ name: 'version', value: '2' }] } })
  site.files.set('/app.aci', readFileSync(next)).set('/app.aci.asc', readFileSync(`${next}.asc`))
  t.not((await one.acquire(url, update)).id, first.id)
  t.is(one.store.records().length, 2)
})

test('an image that the server called fresh is not asked for again', async (t) => {
  using one = openTestStore()
  const site = siteOf(one, { maxAge: 3600 })
  await using server = await serveHttps(authority, site.handle)
  const url = `${server.origin}/app.aci`
  const update = { caFiles: [authority.caFile], pullPolicy: 'update' } as const
  await one.acquire(url, update)
  await one.acquire(url, update)
  t.is(site.asked.length, 2)
  t.is(one.lines.at(-1), `image: image for ${url} isn't expired, not fetching.`)
  await one.acquire(url, { ...update, now: new Date(Date.now() + 3_700_000) })
  t.is(site.asked.length, 4)
})

test('a deferred signature is asked for again after the image', async (t) => {
  using one = openTestStore()
  const site = siteOf(one)
  let deferrals = 1
  await using server = await serveHttps(authority, (request, response) => {
    if (request.url !== '/app.aci.asc' || deferrals === 0) return site.handle(request, response)
    deferrals -= 1
    site.asked.push('deferred')
    return response.writeHead(202).end()
  })
  const url = `${server.origin}/app.aci`
  const options = { caFiles: [authority.caFile] }
  t.is((await one.acquire(url, options)).verdict.kind, 'signed')
  t.deepEqual(site.asked, ['deferred', '/app.aci', '/app.aci.asc'])
  t.true(one.lines.includes('image: server requested deferring the signature download'))
})

test('a server that never hands out the signature, or has none, gives no image', async (t) => {
  using one = openTestStore()
  const site = siteOf(one)
  const signature = site.files.get('/app.aci.asc') ?? Buffer.alloc(0)
  site.files.delete('/app.aci.asc')
  await using server = await serveHttps(authority, site.handle)
  await using lazy = await serveHttps(authority, (request, response) =>
    request.url === '/app.aci.asc' ? response.writeHead(202).end() : site.handle(request, response),
  )
  const options = { caFiles: [authority.caFile] }
  t.regex(await one.refusal(`${server.origin}/app.aci`, options), /^signature-missing: error downloading the signature file .*: bad HTTP status code: 404$/)
  t.deepEqual(site.asked, ['/app.aci.asc'])
  t.is(await one.refusal(`${lazy.origin}/app.aci`, options), 'signature-missing: error downloading the signature file: bad HTTP status code: 202')
  t.deepEqual(one.store.records(), [])
  site.files.set('/x.asc', signature)
  const elsewhere = { ...options, signaturePath: `${server.origin}/x.asc` }
  t.is((await one.acquire(`${server.origin}/app.aci`, elsewhere)).verdict.kind, 'signed')
})

test('an image that was changed on its way is refused, and nothing is left', async (t) => {
  using one = openTestStore()
  const site = siteOf(one)
  const content = site.files.get('/app.aci') ?? Buffer.alloc(0)
  content[50_000] = (content[50_000] ?? 0) ^ 1
  await using server = await serveHttps(authority, site.handle)
  t.regex(await one.refusal(`${server.origin}/app.aci`, { caFiles: [authority.caFile] }), /^signature-invalid: /)
  t.deepEqual(one.store.records(), [])
  t.deepEqual(filesBelow(join(one.dataDir, 'cas')), [])
})
