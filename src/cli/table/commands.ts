import { appFlags, signatureFlag } from './app-flags.ts'
import { globalFlags } from './global-flags.ts'
import { imageCommands } from './image-commands.ts'
import { formatFlag, fullFlag, noLegendFlag, prepareFlags, prettyPrintFlag, startFlags, storeFlags, uuidFileFlag, uuidFileSaveFlag } from './pod-flags.ts'
import type { Command } from './types.ts'

const imageText = 'IMAGE should be a string referencing an image: an ID, a local file, a URL, or an image name.'

const fetch: Command = {
  name: 'fetch',
  summary: 'Fetch image(s) and store them in the local store',
  usage: 'IMAGE...',
  description: `Locates and downloads remote images, checks their signatures, and prints their IDs.\n${imageText}`,
  grammar: 'apps',
  flags: [...storeFlags, fullFlag, { name: 'pull-policy', type: 'text', default: 'update', placeholder: 'never|new|update', help: 'when to pull an image' }],
  appFlags: [signatureFlag],
}

/** Every command that this version has, in the order of the help. */
const commands: readonly Command[] = [
  {
    name: 'cat-manifest',
    summary: 'Inspect and print the pod manifest',
    usage: 'UUID',
    grammar: 'mixed',
    flags: [prettyPrintFlag, uuidFileFlag],
  },
  {
    name: 'completion',
    summary: 'Output shell completion code for the specified shell',
    usage: 'SHELL',
    description: 'SHELL is bash, zsh or fish. For bash: source <(rkt completion bash)',
    grammar: 'mixed',
    flags: [],
    load: () => import('../commands/completion.ts'),
  },
  {
    name: 'complete-words',
    summary: 'Print what may follow the given words; called by the completion code',
    usage: '-- WORD...',
    grammar: 'leading',
    flags: [],
    hidden: true,
    load: () => import('../commands/complete-words.ts'),
  },
  {
    name: 'enter',
    summary: 'Enter the namespaces of an app within a rkt pod',
    usage: '[--app=APPNAME] UUID [CMD [ARGS ...]]',
    description: 'By default the CMD that is run is /bin/bash.',
    grammar: 'leading',
    root: true,
    flags: [{ name: 'app', type: 'text', placeholder: 'NAME', help: 'name of the app to enter within the specified pod' }, uuidFileFlag],
  },
  fetch,
  {
    name: 'gc',
    summary: 'Garbage collect rkt pods no longer in use',
    usage: '[--grace-period=DURATION] [--expire-prepared=DURATION]',
    description: 'Marks ended pods, and removes those whose grace period has passed, with everything that they left behind.',
    grammar: 'mixed',
    root: true,
    flags: [
      { name: 'grace-period', type: 'duration', default: '30m', placeholder: 'DURATION', help: 'duration to wait before discarding inactive pods from garbage' },
      { name: 'expire-prepared', type: 'duration', default: '24h', placeholder: 'DURATION', help: 'duration to wait before expiring prepared pods' },
      { name: 'mark-only', type: 'bool', help: 'only mark the pods as garbage, do not remove them' },
    ],
  },
  {
    name: 'help',
    summary: 'Help about any command',
    usage: '[COMMAND]',
    grammar: 'mixed',
    flags: [],
    load: () => import('../commands/help.ts'),
  },
  { name: 'image', summary: 'Operate on image(s) in the local store', usage: '[COMMAND]', grammar: 'mixed', flags: [], commands: imageCommands(fetch) },
  {
    name: 'list',
    summary: 'List pods',
    usage: '',
    grammar: 'mixed',
    flags: [noLegendFlag, fullFlag, formatFlag],
  },
  {
    name: 'logs',
    summary: 'Print what the apps of a pod wrote',
    usage: 'UUID',
    grammar: 'mixed',
    flags: [
      { name: 'app', type: 'text', placeholder: 'NAME', help: 'only the output of this app' },
      { name: 'follow', type: 'bool', help: 'go on until the pod ends' },
      { name: 'since', type: 'text', placeholder: 'TIME', help: 'only lines from this time on: an RFC 3339 time, or a duration before now' },
      { name: 'timestamps', type: 'bool', help: 'print the time before each line' },
      uuidFileFlag,
    ],
  },
  {
    name: 'prepare',
    summary: 'Prepare to run image(s) in a pod in rkt',
    usage: '[--volume=NAME,kind=host,...] [--quiet] IMAGE [-- image-args...[---]]...',
    description: `Makes a pod of images that "rkt run-prepared" starts later, and prints its UUID.\n${imageText}`,
    grammar: 'apps',
    root: true,
    flags: [...prepareFlags, { name: 'quiet', type: 'bool', help: 'print nothing but the UUID' }],
    appFlags,
  },
  {
    name: 'rm',
    summary: 'Remove all files and resources associated with an exited pod',
    usage: '--uuid-file=FILE | UUID ...',
    grammar: 'mixed',
    root: true,
    flags: [uuidFileFlag],
  },
  {
    name: 'run',
    summary: 'Run image(s) in a pod in rkt',
    usage: '[--volume=NAME,kind=host,...] [--mount volume=VOL,target=PATH] IMAGE [-- image-args...[---]]...',
    description: `${imageText}\nArguments after -- go to the image before it; --- ends them and another image may follow.\nThe exit status is that of the first app that fails.`,
    grammar: 'apps',
    root: true,
    flags: [...prepareFlags, ...startFlags, uuidFileSaveFlag],
    appFlags,
  },
  {
    name: 'run-prepared',
    summary: 'Run a prepared application pod in rkt',
    usage: 'UUID',
    description: 'UUID is that of a pod made by "rkt prepare".',
    grammar: 'mixed',
    root: true,
    flags: startFlags,
  },
  {
    name: 'status',
    summary: 'Check the status of a rkt pod',
    usage: '[--wait=BOOL|DURATION] [--wait-ready=BOOL|DURATION] --uuid-file=FILE | UUID',
    grammar: 'mixed',
    flags: [
      { name: 'wait', type: 'text', bare: 'true', default: 'false', placeholder: 'BOOL|DURATION', help: 'wait until the pod has ended, or at most for the duration' },
      { name: 'wait-ready', type: 'text', bare: 'true', default: 'false', placeholder: 'BOOL|DURATION', help: 'wait until the pod is ready, or at most for the duration' },
      uuidFileFlag,
      formatFlag,
    ],
  },
  {
    name: 'stop',
    summary: 'Stop a pod',
    usage: '--uuid-file=FILE | UUID ...',
    description: 'Asks every app of the pod to end (SIGTERM), and kills what is left after the timeout.',
    grammar: 'mixed',
    flags: [
      { name: 'force', type: 'bool', help: 'kill the pod at once' },
      { name: 'timeout', type: 'duration', default: '10s', placeholder: 'DURATION', help: 'how long to wait before the pod is killed' },
      uuidFileFlag,
    ],
  },
  {
    name: 'trust',
    summary: 'Trust a key for image verification',
    usage: '[--prefix=PREFIX] [--root] PUBKEY... | list',
    description: 'Adds public keys to the local key store, after a review of their fingerprints.\nPUBKEY is a file or an https URL. "rkt trust list" prints the keys that are trusted.',
    grammar: 'mixed',
    flags: [
      { name: 'prefix', type: 'text', placeholder: 'PREFIX', help: 'image name prefix for which the keys are trusted' },
      { name: 'root', type: 'bool', help: 'trust the keys for every image name' },
      { name: 'skip-fingerprint-review', type: 'bool', help: 'accept the keys without asking' },
      { name: 'insecure-allow-http', type: 'bool', unsupported: true, help: 'allow http for key discovery and retrieval' },
    ],
  },
  {
    name: 'version',
    summary: 'Print the version and exit',
    usage: '',
    grammar: 'mixed',
    flags: [],
    load: () => import('../commands/version.ts'),
  },
]

/** The one command table: parser, help and completion read nothing else. */
export const root: Command = {
  name: 'rkt',
  summary: 'rkt, the application container runner',
  usage: '[COMMAND]',
  description: 'A command line program for running pods from signed images.\nTo get the help of a command, run "rkt help COMMAND".',
  grammar: 'mixed',
  flags: globalFlags,
  commands,
}
