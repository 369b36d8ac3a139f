import test from 'ava'
import { RktError, type ErrorCode } from '../../../src/base/index.ts'
import { imageEndpoint, keyURLs } from '../../../src/fetch/discover.ts'
import { walkPages, type GetPage } from '../../../src/fetch/discovery-page.ts'
import { fillTemplate } from '../../../src/fetch/discovery-template.ts'
import { readMetaTags, type MetaTag } from '../../../src/fetch/meta-tags.ts'
import { parseACIdentifier, type Label } from '../../../src/spec/index.ts'
import { refusalOf } from '../../support/store.ts'

const name = parseACIdentifier('example.com/team/app')
const label = (key: string, value: string): Label => ({ name: parseACIdentifier(key), value })
const labels = [label('os', 'linux'), label('arch', 'amd64')]
const tagsOf = (html: string): Promise<readonly MetaTag[]> => readMetaTags(Buffer.from(html))
const image = '<meta name="ac-discovery" content="example.com https://example.com/{name}.{ext}">'
const imageTag: MetaTag = { name: 'ac-discovery', prefix: 'example.com', value: 'https://example.com/{name}.{ext}' }

test('readMetaTags() finds both kinds, in any spelling that HTML has', async (t) => {
  t.deepEqual(await tagsOf(`<!DOCTYPE html><html><HEAD>${image}<META content='example.com&#32;https://example.com/k?a=1&amp;b=2' NAME=ac-discovery-pubkeys />`), [
    imageTag,
    { name: 'ac-discovery-pubkeys', prefix: 'example.com', value: 'https://example.com/k?a=1&b=2' },
  ])
  t.deepEqual(await tagsOf(image), [imageTag])
})

for (const [title, html] of [
  ['in the body', `<html><head></head><body>${image}</body>`],
  ['after a body that was opened without a head', `<body>${image}`],
  ['after the end of the head', `<head></head>${image}`],
  ['in a comment', `<head><!-- ${image} -->`],
  ['in a script', `<head><script>"${image}"</script>`],
  ['in a style', `<head><style>${image}</style>`],
  ['in the title', `<head><title>${image}</title>`],
  ['in a text field', `<textarea>${image}</textarea>`],
  ['in an attribute', `<head><link title='${image}'>`],
  ['in a CDATA section', `<head><![CDATA[${image}]]>`],
  ['of another kind', image.replace('ac-discovery', 'ac-something')],
  ['with one word', '<meta name="ac-discovery" content="example.com">'],
  ['with three words', '<meta name="ac-discovery" content="example.com https://example.com/ x">'],
  ['without content', '<meta name="ac-discovery">'],
] as const) {
  test(`readMetaTags() does not take a tag ${title}`, async (t) => {
    t.deepEqual(await tagsOf(html), [])
  })
}

test('readMetaTags() ends soon with pages that are made to be slow', async (t) => {
  const start = Date.now()
  for (const html of ['<'.repeat(1_000_000), '<a '.repeat(300_000), '<b>'.repeat(300_000), '<meta '.repeat(150_000), '&amp'.repeat(250_000), `<meta name="ac-discovery" content="${' '.repeat(1_000_000)}">`, image.repeat(12_000)]) {
    t.true((await tagsOf(html)).length <= 10_000)
  }
  t.true(Date.now() - start < 5000)
})

test('fillTemplate() puts in name, labels and extension; the version is latest unless it is said', (t) => {
  const template = 'https://x/{name}-{version}-{os}-{arch}.{ext}'
  t.is(fillTemplate(template, { name, labels, ext: 'aci' }), 'https://x/example.com/team/app-latest-linux-amd64.aci')
  t.is(fillTemplate(template, { name, labels: [...labels, label('version', '1.0.0')], ext: 'aci.asc' }), 'https://x/example.com/team/app-1.0.0-linux-amd64.aci.asc')
})

test('fillTemplate() gives nothing while a variable is not known', (t) => {
  for (const template of ['https://x/{channel}/{name}', 'https://x/{', 'https://x/{}', 'https://x/{{name}}']) t.is(fillTemplate(template, { name, labels, ext: 'aci' }), undefined, template)
  t.is(fillTemplate('https://x/{channel}', { name, labels: [label('channel', 'beta')], ext: 'aci' }), 'https://x/beta')
})

test('fillTemplate() keeps a value in its place: it ends no path and is no variable', (t) => {
  t.is(fillTemplate('https://x/{version}/a', { name, labels: [label('version', '../{name}?q#h')], ext: 'aci' }), 'https://x/..%2F%7Bname%7D%3Fq%23h/a')
})

const found = (...tags: readonly MetaTag[]): { readonly tags: readonly MetaTag[]; readonly hosts: readonly string[] } => ({ tags, hosts: ['example.com', 'www.example.com'] })
const keyTag = (value: string): MetaTag => ({ name: 'ac-discovery-pubkeys', prefix: 'example.com', value })

test('imageEndpoint() uses the first template that can be filled, over https', (t) => {
  const at = (value: string): MetaTag => ({ ...imageTag, value })
  const wanted = { name, labels }
  t.deepEqual(imageEndpoint(wanted, found(keyTag('https://example.com/k'), at('https://x/{channel}'), at('ftp://x/'), at('http://x/{name}'), at('https://u:p@x/'), at('https://x/{name}.{ext}')), false), {
    image: 'https://x/example.com/team/app.aci',
    signature: 'https://x/example.com/team/app.aci.asc',
  })
  t.deepEqual(imageEndpoint(wanted, found(at('https://x/download?of={name}.{ext}')), false)?.signature, 'https://x/download?of=example.com/team/app.aci.asc')
  t.deepEqual(imageEndpoint(wanted, found(at('https://x/fixed.aci')), false)?.signature, 'https://x/fixed.aci.asc')
  t.is(imageEndpoint(wanted, found(at('http://x/{name}')), true)?.image, 'http://x/example.com/team/app')
  t.is(imageEndpoint(wanted, found(), false), undefined)
})

test('keyURLs() gives every key of the hosts that speak for the page, once', (t) => {
  t.deepEqual(keyURLs(name, found(imageTag, keyTag('https://example.com/k'), keyTag('https://www.example.com/k'), keyTag('https://example.com/k'), keyTag('http://example.com/k')), false), [
    'https://example.com/k',
    'https://www.example.com/k',
  ])
  t.is(keyURLs(name, found(imageTag), false), undefined)
})

/** Pages by URL; a code is the failure of that page. */
function pages(content: Readonly<Record<string, string | ErrorCode>>, asked: string[] = []): GetPage {
  return (url) => {
    asked.push(url)
    const page = content[url] ?? 'http-status'
    if (page.startsWith('<')) return Promise.resolve({ hosts: ['example.com'], bytes: Buffer.from(page) })
    // SAFETY: what is not a page is a code.
    return Promise.reject(new RktError(page as ErrorCode, `no page at ${url}`))
  }
}

const walk = (getPage: GetPage, { http = false, of = name } = {}): Promise<string> =>
  walkPages(of, ({ tags }) => tags[0]?.value, { getPage, http, onMiss: () => undefined })

test('walkPages() asks the name, then its parents up to the host', async (t) => {
  const asked: string[] = []
  t.is(await walk(pages({ 'https://example.com?ac-discovery=1': image }, asked)), imageTag.value)
  t.deepEqual(asked, ['https://example.com/team/app?ac-discovery=1', 'https://example.com/team?ac-discovery=1', 'https://example.com?ac-discovery=1'])
})

test('walkPages() goes on past pages without use: errors, no tags, tags of other names', async (t) => {
  const of = (content: string): string => image.replace('example.com ', `${content} `)
  const getPage = pages({
    'https://example.com/team/app?ac-discovery=1': of('example.com/team/application') + of('example.org') + of('xample.com'),
    'https://example.com/team?ac-discovery=1': 'network',
    'https://example.com?ac-discovery=1': of('example.com/team'),
  })
  t.is(await walk(getPage), imageTag.value)
  t.is(await refusalOf(() => walk(pages({}))), 'not-found: cannot find "example.com/team/app": discovery failed: no page at https://example.com?ac-discovery=1')
})

test('walkPages() ends at a page that is insecure or too large', async (t) => {
  for (const code of ['tls', 'policy-refused', 'limit-exceeded', 'cancelled'] as const) {
    const asked: string[] = []
    const getPage = pages({ 'https://example.com/team/app?ac-discovery=1': code, 'https://example.com?ac-discovery=1': image }, asked)
    t.regex(await refusalOf(() => walk(getPage)), new RegExp(`^${code}: `))
    t.is(asked.length, 1)
  }
})

test('walkPages() asks over http only where it is allowed, after https', async (t) => {
  const asked: string[] = []
  const content = { 'http://example.com/team/app?ac-discovery=1': image }
  t.is(await walk(pages(content, asked), { http: true }), imageTag.value)
  t.deepEqual(asked, ['https://example.com/team/app?ac-discovery=1', 'http://example.com/team/app?ac-discovery=1'])
  t.regex(await refusalOf(() => walk(pages(content))), /^not-found: /)
})

test('walkPages() asks no host by another name than the written one', async (t) => {
  const asked: string[] = []
  for (const text of ['127.1/app', '0x7f000001/app', '1/app']) t.regex(await refusalOf(() => walk(pages({}, asked), { of: parseACIdentifier(text) })), /^not-found: .* is no name of a host$/)
  t.deepEqual(asked, [])
})
