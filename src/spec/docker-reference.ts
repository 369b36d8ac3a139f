import { digestParts, parseDigest, quote, RktError, type Digest } from '../base/index.ts'
import { parseACIdentifier, type ACIdentifier } from './names.ts'

/** An image of a registry, with the defaults filled in: `alpine` is `docker.io/library/alpine`. */
export interface DockerReference {
  /** Lower case, with the port when one was given. */
  readonly host: string
  readonly repository: string
  readonly tag?: string
  readonly digest?: Digest
}

// SPEC: distribution/reference regexp.go: domain, path and tag; normalize.go for what stands before the first slash.
/** A name of the DNS has at most 253 characters; and a port. */
const hostLength = 259
const domainPattern = /^(?:(?:[a-z0-9]|[a-z0-9][a-z0-9-]*[a-z0-9])(?:\.(?:[a-z0-9]|[a-z0-9][a-z0-9-]*[a-z0-9]))*|\[[a-f0-9:]+\])(?::[0-9]{1,5})?$/
const componentPattern = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/
const tagPattern = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/

const defaultHost = 'docker.io'
const repositoryLength = 255

/**
 * Reads `[HOST[:PORT]/]REPOSITORY[:TAG][@DIGEST]` as container tools do: without a host it is Docker Hub's, where a single word is
 * below `library`.
 *
 * @throws RktError `invalid-reference`.
 */
export function parseDockerReference(text: string): DockerReference {
  const refuse = (state: string): RktError =>
    new RktError('invalid-reference', `cannot use image reference ${quote(text)}: ${state}; expected [HOST[:PORT]/]REPOSITORY[:TAG][@DIGEST]`)
  const at = text.indexOf('@')
  const head = at < 0 ? text : text.slice(0, at)
  const digest = at < 0 ? undefined : parseDigest(text.slice(at + 1))
  const colon = head.indexOf(':', head.lastIndexOf('/') + 1)
  const tag = colon < 0 ? undefined : head.slice(colon + 1)
  if (tag !== undefined && !tagPattern.test(tag)) throw refuse(`${quote(tag)} is not a tag`)
  const { host, path } = splitHost(colon < 0 ? head : head.slice(0, colon))
  if (host.length > hostLength || !domainPattern.test(host) || !URL.canParse(`https://${host}/`)) throw refuse(`${quote(host)} is not a host`)
  const repository = host === defaultHost && !path.includes('/') ? `library/${path}` : path
  if (repository.length > repositoryLength || !repository.split('/').every((component) => componentPattern.test(component))) {
    throw refuse(`${quote(path)} is not a repository`)
  }
  // Container tools take 64 digits for the beginning of an ID, never for a name.
  if (host === defaultHost && /^library\/[0-9a-f]{64}$/.test(repository)) throw refuse('64 hexadecimal digits are not a repository')
  return { host, repository, ...(tag === undefined ? {} : { tag }), ...(digest === undefined ? {} : { digest }) }
}

/** `host/repository[:tag][@digest]`, complete. */
export function formatDockerReference({ host, repository, tag, digest }: DockerReference): string {
  return `${host}/${repository}${tag === undefined ? '' : `:${tag}`}${digest === undefined ? '' : `@${digest}`}`
}

/**
 * The name of an image in words of appc, such as `docker.io/library/alpine`: keys are trusted for prefixes of it. What an AC
 * identifier cannot hold is written with `~`, which no host or repository has, so that two repositories never share a name: `~5000`
 * for a port, `a~u~b` for `a__b`, `a~d2~b` for `a--b`, `ipv6~0-…-1` for an address.
 *
 * @throws RktError `invalid-reference` when the name is too long.
 */
export function identifierOf({ host, repository }: Pick<DockerReference, 'host' | 'repository'>): ACIdentifier {
  const path = `${identifierHost(host)}/${repository}`
  return parseACIdentifier(path.replaceAll('__', '~u~').replace(/-{2,}/g, (run) => `~d${run.length}~`))
}

/** What a name without a host means to container tools: `alpine` is `docker.io/library/alpine`; undefined for names with a host. */
export function hubIdentifier(name: ACIdentifier): ACIdentifier | undefined {
  const { host, path } = splitHost(name)
  const repository = path.includes('/') ? path : `library/${path}`
  return path === name && repository.split('/').every((component) => componentPattern.test(component)) ? identifierOf({ host, repository }) : undefined
}

/** Whether the text can stand after the colon of a reference. */
export function isTag(text: string): boolean {
  return tagPattern.test(text)
}

/**
 * The tag that lists what refers to a manifest where a registry has no other way: `sha256-<hex>`; with `.sig` it is that of cosign.
 * SPEC: OCI distribution-spec, referrers tag schema: at most 64 digits.
 */
export function companionTag(digest: Digest): string {
  const { algorithm, hex } = digestParts(digest)
  return `${algorithm}-${hex.slice(0, 64)}`
}

function splitHost(name: string): { readonly host: string; readonly path: string } {
  const slash = name.indexOf('/')
  const host = slash < 0 ? '' : name.slice(0, slash).toLowerCase()
  // Attack: a host that only its capitals tell from a repository is written as another image's name; as a repository it is refused.
  if (host !== 'localhost' && !/[.:]/.test(host)) return { host: defaultHost, path: name }
  return { host: host === 'index.docker.io' ? defaultHost : host, path: name.slice(slash + 1) }
}

function identifierHost(host: string): string {
  const [, address, port] = /^\[([a-f0-9:]+)\](?::([0-9]+))?$/.exec(host) ?? []
  if (address === undefined) return host.replace(':', '~')
  return `ipv6~${expandIPv6(address).join('-')}${port === undefined ? '' : `~${port}`}`
}

/** Eight groups without leading zeros. */
function expandIPv6(address: string): readonly string[] {
  const canonical = new URL(`https://[${address}]/`).hostname.slice(1, -1)
  const [left = '', right] = canonical.split('::')
  const [head, tail] = [left, right ?? ''].map((side) => (side === '' ? [] : side.split(':')))
  const missing = 8 - (head?.length ?? 0) - (tail?.length ?? 0)
  return [...(head ?? []), ...Array<string>(Math.max(missing, 0)).fill('0'), ...(tail ?? [])]
}
