import { formatDockerReference, parseDockerReference, type DockerReference, type OciConfig } from '../../spec/index.ts'
import { aliasOf, type OciRecord } from './record.ts'

/** What a conversion from Docker's format notes; stage1 and others know by `repository` that an image was one. SPEC: rkt, docker2aci. */
export function dockerAnnotations(config: OciConfig, record: OciRecord): Readonly<Record<string, string>> {
  const { run } = config
  const reference = registryOf(record)
  return {
    ...(reference === undefined ? {} : { 'appc.io/docker/registryurl': reference.host }),
    'appc.io/docker/repository': reference?.repository ?? record.name,
    ...(reference?.tag === undefined ? {} : { 'appc.io/docker/tag': reference.tag }),
    'appc.io/docker/imageid': record.config.digest,
    'appc.io/docker/manifesthash': aliasOf(record),
    'appc.io/docker/originalname': reference === undefined ? record.source.reference : formatDockerReference(reference),
    ...(run.entrypoint.length === 0 ? {} : { 'appc.io/docker/entrypoint': JSON.stringify(run.entrypoint) }),
    ...(run.cmd.length === 0 ? {} : { 'appc.io/docker/cmd': JSON.stringify(run.cmd) }),
  }
}

function registryOf({ source }: OciRecord): DockerReference | undefined {
  return source.reference.startsWith('docker://') ? parseDockerReference(source.reference.slice('docker://'.length)) : undefined
}
