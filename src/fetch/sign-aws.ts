import { createHash, createHmac } from 'node:crypto'

export interface SignAwsOptions {
  readonly accessKeyID: string
  readonly secretAccessKey: string
  /** Empty: that of the host's name. */
  readonly awsRegion: string
  readonly nowMs: number
}

const signedHeaders = 'host;x-amz-content-sha256;x-amz-date'
const emptyBody = sha256('')

/**
 * The headers of Signature Version 4 for a GET without a body from S3.
 *
 * SPEC: AWS, "Authenticating Requests: Using the Authorization Header".
 */
export function signAws(url: URL, { accessKeyID, secretAccessKey, awsRegion, nowMs }: SignAwsOptions): Readonly<Record<string, string>> {
  const time = new Date(nowMs).toISOString().replace(/[-:]|\.\d+/g, '')
  const region = awsRegion === '' ? regionOf(url.hostname) : awsRegion
  const scope = `${time.slice(0, 8)}/${region}/s3/aws4_request`
  const headers = `host:${url.host}\nx-amz-content-sha256:${emptyBody}\nx-amz-date:${time}\n`
  const request = ['GET', canonicalPath(url), canonicalQuery(url), headers, signedHeaders, emptyBody].join('\n')
  const key = scope.split('/').reduce<string | Buffer>((secret, part) => hmac(secret, part), `AWS4${secretAccessKey}`)
  const signature = hmac(key, ['AWS4-HMAC-SHA256', time, scope, sha256(request)].join('\n')).toString('hex')
  return {
    'X-Amz-Date': time,
    'X-Amz-Content-Sha256': emptyBody,
    Authorization: `AWS4-HMAC-SHA256 Credential=${accessKeyID}/${scope},SignedHeaders=${signedHeaders},Signature=${signature}`,
  }
}

/** `s3.REGION.amazonaws.com`, `s3-REGION.…` or with a bucket before it; everything else is where S3 began. */
function regionOf(hostname: string): string {
  const region = /(?:^|\.)s3[.-]([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?$/.exec(hostname)?.[1]
  return region ?? 'us-east-1'
}

function canonicalPath(url: URL): string {
  return url.pathname.split('/').map((part) => encode(decode(part))).join('/')
}

function canonicalQuery(url: URL): string {
  const pairs = url.search.slice(1).split('&').filter((pair) => pair !== '')
  const encoded = pairs.map((pair) => {
    const [, name = '', value = ''] = /^([^=]*)=?(.*)$/s.exec(pair) ?? []
    return [encode(decode(name)), encode(decode(value))] as const
  })
  // By name, then by value: no sign of an encoded text sorts before a tab.
  return encoded.map((pair) => pair.join('\t')).sort().map((pair) => pair.replace('\t', '=')).join('&')
}

/** The text behind percent signs; what is no encoding stands for itself. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch (error) {
    if (error instanceof URIError) return text
    throw error
  }
}

function encode(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}
