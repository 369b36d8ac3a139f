import { isRktError, print, RktError, stderrLog } from '../base/index.ts'
import type { Context, World } from './context.ts'
import { configDirectories, dataDirectory, refuseRootless } from './directories.ts'
import { failureLines, failureStatus } from './failure.ts'
import { parseInsecureOptions } from './insecure.ts'
import type { Invocation, Request } from './parse/invocation.ts'
import { locateCommand, parseLocated } from './parse/parse.ts'
import { root } from './table/commands.ts'

/** Runs one command line to its exit status; whatever fails is told on standard error. */
export async function runProgram(world: World): Promise<number> {
  let name = root.name
  const own = ownWords(world.argv)
  try {
    const located = locateCommand(world.argv, root)
    if (located.path.length > 0) name = located.command.name
    if (located.command.root === true && world.euid !== 0 && !own.some((word) => word === '--help' || word === '-h')) {
      throw notRoot(world)
    }
    const request = parseLocated(located)
    return request.kind === 'run' ? await runVerb(world, request.invocation) : await showHelp(request)
  } catch (error) {
    const debug = own.includes('--debug') || own.includes('--debug=true')
    // As in the original, what keeps the pod's surroundings from being made is told in the name of stage1.
    const speaker = isRktError(error, 'network-setup') ? 'stage1' : name
    for (const line of failureLines(error, { debug })) print(2, `${speaker}: ${line}\n`)
    return isRktError(error) ? error.exitStatus : failureStatus
  }
}

function notRoot({ rootless }: World): RktError {
  return rootless?.kind === 'refused' ? refuseRootless(rootless.reason) : new RktError('not-root', 'cannot run as unprivileged user')
}

/** The words before the first argument of an app. */
function ownWords(argv: readonly string[]): readonly string[] {
  const end = argv.indexOf('--')
  return end === -1 ? argv : argv.slice(0, end)
}

async function showHelp(request: Exclude<Request, { kind: 'run' }>): Promise<number> {
  const { helpText } = await import('./help.ts')
  if (request.kind === 'missing') print(2, `${request.command.name}: missing command\n`)
  print(1, helpText(request.command, request.path, root))
  return request.kind === 'missing' ? 2 : 0
}

async function runVerb(world: World, invocation: Invocation): Promise<number> {
  const { command, flags } = invocation
  if (command.load === undefined) throw new Error(`command ${command.name} has no module`)
  const config = configDirectories(flags, world)
  const debug = flags.bool('debug')
  const callerFd = /^\d+$/.test(world.env['RKT_CALLER_FD'] ?? '') ? Number(world.env['RKT_CALLER_FD']) : undefined
  const context: Context = {
    ...world,
    log: stderrLog(command.name, { debug }),
    out: (text) => print(1, text.endsWith('\n') ? text : `${text}\n`),
    signal: world.interrupt.signal,
    get dataDir() {
      return dataDirectory(flags, config, world)
    },
    config,
    insecure: parseInsecureOptions(flags.list('insecure-options')),
    trustKeysFromHttps: flags.bool('trust-keys-from-https'),
    debug,
    ...(callerFd === undefined ? {} : { callerFd }),
  }
  const verb = await command.load()
  return await verb.run(context, invocation)
}
