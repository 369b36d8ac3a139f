import { parseDigest, parseIdMap, parseImageID, parsePodUUID, type RktError } from '../../src/base/index.ts'
import { formatOciReference, parseOciReference, parseReference } from '../../src/fetch/index.ts'
import { parseChallenges } from '../../src/fetch/oci/registry/challenge.ts'
import { parseNetFlag } from '../../src/network/net-flag.ts'
import { parseHostsFlags } from '../../src/network/hosts.ts'
import { parsePortFlag } from '../../src/network/port-flag.ts'
import { parseSubordinateIds } from '../../src/pod/index.ts'
import { parseEnvFile, parseSetEnv } from '../../src/pod/environment.ts'
import { parseLogLine } from '../../src/pod/log-line.ts'
import { parseMountinfo } from '../../src/stage1/mountinfo.ts'
import {
  formatDockerReference,
  parseACIdentifier,
  parseACName,
  parseCapabilitiesFlag,
  parseCpuFlag,
  parseDockerReference,
  parseIsolation,
  parseMemoryFlag,
  parseMountFlag,
  parseMountVolumeFlag,
  parseQuantity,
  parseSeccompFlag,
  parseSupplementaryGIDs,
  parseVolumeFlag,
} from '../../src/spec/index.ts'
import type { Reader } from './fuzz.ts'

const cwd = '/nonexistent/cwd'

function text(name: string, read: (text: string) => unknown, refuses?: (error: unknown) => error is RktError): Reader {
  return { name, read: (bytes) => read(bytes.toString('utf8')), ...(refuses === undefined ? {} : { refuses }) }
}

/** Names that have been accepted can be made a path; none leads out. */
function asPath(name: string): string {
  if (name.split('/').some((part) => part === '' || part === '.' || part === '..')) throw new Error(`${JSON.stringify(name)} is accepted`)
  return name
}

function printable(line: string): string {
  if (/[\p{Cc}\p{Cf}]/u.test(line)) throw new Error(`${JSON.stringify(line)} is accepted`)
  return line
}

/** Command line words, lines of files and headers. The corpus of each is `corpus/NAME.txt`, a line each. */
export const texts: readonly Reader[] = [
  text('reference', (line) => parseReference(line, { cwd })),
  text('docker-reference', (line) => {
    const reference = parseDockerReference(line)
    const again = formatDockerReference(parseDockerReference(formatDockerReference(reference)))
    if (again !== formatDockerReference(reference)) throw new Error(`${JSON.stringify(line)} is read as two references`)
    return [asPath(reference.repository), printable(again)]
  }),
  text('oci-reference', (line) => formatOciReference(parseOciReference(line, { cwd }))),
  text('digest', (line) => asPath(parseDigest(line))),
  text('image-id', (line) => asPath(parseImageID(line))),
  text('pod-uuid', (line) => asPath(parsePodUUID(line))),
  text('ac-name', (line) => asPath(printable(parseACName(line)))),
  text('ac-identifier', (line) => asPath(printable(parseACIdentifier(line)))),
  text('isolation', parseIsolation),
  text('volume-flag', parseVolumeFlag),
  text('mount-flag', parseMountFlag),
  text('mount-volume-flag', parseMountVolumeFlag),
  text('capabilities-flag', (line) => parseCapabilitiesFlag(line, { mode: 'retain' })),
  text('seccomp-flag', parseSeccompFlag),
  text('memory-flag', parseMemoryFlag),
  text('cpu-flag', parseCpuFlag),
  text('quantity', parseQuantity),
  text('supplementary-gids', parseSupplementaryGIDs),
  text('net-flag', (line) => parseNetFlag([line])),
  text('port-flag', parsePortFlag),
  text('hosts-flag', (line) => parseHostsFlags([line])),
  text('set-env', (line) => parseSetEnv([line])),
  text('env-file', (line) => parseEnvFile(line, '/x.env')),
  text('subordinate-ids', parseSubordinateIds),
  text('id-map', parseIdMap),
  text('mountinfo', parseMountinfo),
  text('challenge', parseChallenges),
  { name: 'log-line', read: (bytes) => parseLogLine(bytes), refuses: () => false },
]
