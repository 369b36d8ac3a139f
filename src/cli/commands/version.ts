import { takeNone } from '../arguments.ts'
import type { Context } from '../context.ts'
import type { Invocation } from '../parse/invocation.ts'
import { appcVersion, rktVersion } from '../version.ts'

const architectures: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64', ia32: '386', arm: 'arm', ppc64: 'ppc64le', s390x: 's390x' }

/** Prints the versions, one a line. */
export async function run(context: Context, invocation: Invocation): Promise<number> {
  takeNone(invocation)
  context.out(
    [
      `rkt Version: ${rktVersion}`,
      `appc Version: ${appcVersion}`,
      `Node Version: ${process.version}`,
      `OS/Arch: ${process.platform}/${architectures[process.arch] ?? process.arch}`,
      'Features: -TPM -SDJOURNAL',
    ].join('\n'),
  )
  return 0
}
