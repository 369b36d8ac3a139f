import { signAws } from './sign-aws.ts'

/** What proves to one host who asks. */
export type Credential =
  | { readonly type: 'basic'; readonly user: string; readonly password: string }
  | { readonly type: 'oauth'; readonly token: string }
  | { readonly type: 'aws'; readonly accessKeyID: string; readonly secretAccessKey: string; /** Empty: that of the host's name. */ readonly awsRegion: string }

/** Credentials of the configuration. */
export interface Credentials {
  /** For exactly this host, with its port unless that is the scheme's own. */
  find(host: string): Credential | undefined
  /** Milliseconds since 1970, for what is signed with a date. */
  now(): number
}

/** Headers that show the credential of the URL's host; none when there is none. */
export function authorization(url: URL, credentials: Credentials): Readonly<Record<string, string>> {
  const credential = credentials.find(url.host)
  switch (credential?.type) {
    case undefined:
      return {}
    case 'basic':
      return { Authorization: `Basic ${Buffer.from(`${credential.user}:${credential.password}`).toString('base64')}` }
    case 'oauth':
      return { Authorization: `Bearer ${credential.token}` }
    case 'aws':
      return signAws(url, { ...credential, nowMs: credentials.now() })
  }
}
