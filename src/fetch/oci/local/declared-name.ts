import { basename } from 'node:path'
import { isRktError } from '../../../base/index.ts'
import { asACIdentifier, identifierOf, isTag, parseACIdentifier, parseDockerReference, type ACIdentifier, type DockerReference, type Label } from '../../../spec/index.ts'

export interface DeclaredName {
  readonly name: ACIdentifier
  readonly labels: readonly Label[]
  readonly fullName: DockerReference | undefined
}

/**
 * What a local image calls itself: the first full name among `names`; else `localhost/` and the name of its file, with the first tag.
 */
export function declaredName(names: readonly string[], path: string): DeclaredName {
  for (const name of names.filter((one) => one.includes('/'))) {
    const full = readFullName(name)
    if (full !== undefined) return full
  }
  const stem = basename(path)
    .replace(/\.(?:tar|oci|docker|oci-archive|docker-archive)$/i, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '')
  const named = names.find((name) => isTag(name))
  return { name: asACIdentifier(`localhost/${stem}`) ?? parseACIdentifier('localhost/image'), labels: versionLabel(named), fullName: undefined }
}

function readFullName(text: string): DeclaredName | undefined {
  try {
    const reference = parseDockerReference(text)
    return { name: identifierOf(reference), labels: versionLabel(reference.tag ?? 'latest'), fullName: { ...reference, tag: reference.tag ?? 'latest' } }
  } catch (error) {
    // A name that is none of a registry's says nothing.
    if (isRktError(error, 'invalid-reference')) return undefined
    throw error
  }
}

function versionLabel(tag: string | undefined): readonly Label[] {
  return tag === undefined ? [] : [{ name: parseACIdentifier('version'), value: tag }]
}
