import { quote } from '../../base/index.ts'
import type { Credential } from '../../fetch/index.ts'
import { checkFields, isObject, refuseFile, type ConfigFile } from './config-file.ts'
import type { ConfigKind, Setting } from './merge.ts'

/** A credential and the host, with its port unless that is 443, that may see it. */
export interface HostCredential {
  readonly host: string
  readonly credential: Credential
}

/** User and password of a container registry, and the registry as the file names it. */
export interface RegistryCredential {
  readonly registry: string
  readonly user: string
  readonly password: string
}

const neighbours = ['auth', 'dockerAuth']

/** Kind `auth`: credentials for hosts that serve images. */
export const authKind: ConfigKind<HostCredential> = { name: 'auth', directory: 'auth.d', neighbours, read: readAuth }

/** Kind `dockerAuth`: credentials for container registries. */
export const dockerAuthKind: ConfigKind<RegistryCredential> = { name: 'dockerAuth', directory: 'auth.d', neighbours, read: readDockerAuth }

function readAuth(file: ConfigFile): readonly Setting<HostCredential>[] {
  const { path, fields } = file
  checkFields(path, { object: fields, known: ['domains', 'type', 'credentials'] })
  const credential = readCredential(file)
  return texts(file, 'domains').map((domain) => {
    const host = hostOf(path, domain)
    return { key: `domain ${quote(host)}`, value: { host, credential } }
  })
}

function readDockerAuth(file: ConfigFile): readonly Setting<RegistryCredential>[] {
  checkFields(file.path, { object: file.fields, known: ['registries', 'credentials'] })
  const take = credentialFields(file, ['user', 'password'])
  const [user, password] = [take('user'), take('password')]
  return texts(file, 'registries').map((registry) => ({ key: `registry ${quote(registry)}`, value: { registry, user, password } }))
}

function readCredential(file: ConfigFile): Credential {
  switch (file.fields['type']) {
    case 'basic': {
      const take = credentialFields(file, ['user', 'password'])
      return { type: 'basic', user: take('user'), password: take('password') }
    }
    case 'oauth':
      return { type: 'oauth', token: credentialFields(file, ['token'])('token') }
    case 'aws': {
      const take = credentialFields(file, ['accessKeyID', 'secretAccessKey', 'awsRegion'])
      return { type: 'aws', accessKeyID: take('accessKeyID'), secretAccessKey: take('secretAccessKey'), awsRegion: take('awsRegion', 'optional') }
    }
    default:
      throw refuseFile(file.path, 'unknown "type"; expected basic, oauth or aws')
  }
}

/** Reads fields of "credentials"; what they hold goes into no message. */
function credentialFields({ path, fields }: ConfigFile, known: readonly string[]): (name: string, need?: 'optional') => string {
  const { credentials } = fields
  if (!isObject(credentials)) throw refuseFile(path, '"credentials" is not an object')
  checkFields(path, { object: credentials, known, where: 'credentials.' })
  return (name, need) => {
    const value = credentials[name] ?? ''
    if (typeof value !== 'string' || (value === '' && need !== 'optional')) throw refuseFile(path, `"credentials.${name}" is missing, empty or not a text`)
    if (/[\0-\x1f\x7f]/.test(value)) throw refuseFile(path, `"credentials.${name}" holds a control character`)
    return value
  }
}

function texts({ path, fields }: ConfigFile, name: string): readonly string[] {
  const list = fields[name]
  if (!Array.isArray(list) || list.length === 0) throw refuseFile(path, `"${name}" is not a list with something in it`)
  return list.map((one: unknown) => {
    if (typeof one !== 'string' || one === '') throw refuseFile(path, `"${name}" holds something that is empty or not a text`)
    return one
  })
}

/** The host as requests name it; a path, user or wildcard would never match one. */
function hostOf(path: string, domain: string): string {
  const url = /^[^/?#@\\*\s]+$/.test(domain) && URL.canParse(`https://${domain}`) ? new URL(`https://${domain}`) : undefined
  if (url === undefined) throw refuseFile(path, `"domains" holds ${quote(domain)}; expected HOST or HOST:PORT`)
  return url.host
}
