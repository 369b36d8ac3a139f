import { appFlags, mountVolumeFlag } from './app-flags.ts'
import { formatFlag, noLegendFlag, sandboxFlags, uuidFileFlag, uuidFileSaveFlag } from './pod-flags.ts'
import type { Command, Flag } from './types.ts'

const appNameFlag: Flag = { name: 'app', type: 'text', placeholder: 'NAME', help: 'name of the app' }

/** The commands below `rkt app`. */
export function appCommands(enter: Command): readonly Command[] {
  return [
    {
      name: 'add',
      summary: 'Add an app to a pod',
      usage: 'UUID IMAGE [-- image-args...]',
      description: 'Adds an app of a stored image to a pod of "rkt app sandbox". It is not started.',
      grammar: 'apps',
      root: true,
      flags: [],
      appFlags: [...appFlags, mountVolumeFlag],
      load: () => import('../commands/app-add.ts'),
    },
    { ...enter, name: 'exec', summary: 'Execute a command in the given app', load: () => import('../commands/enter.ts') },
    {
      name: 'list',
      summary: 'List the apps of a pod',
      usage: 'UUID',
      grammar: 'mixed',
      flags: [noLegendFlag, uuidFileFlag],
      load: () => import('../commands/app-list.ts'),
    },
    {
      name: 'rm',
      summary: 'Remove an app from a pod',
      usage: 'UUID --app=NAME',
      description: 'Removes an app that does not run, with everything that it wrote.',
      grammar: 'mixed',
      root: true,
      flags: [appNameFlag, uuidFileFlag],
      load: () => import('../commands/app-rm.ts'),
    },
    {
      name: 'sandbox',
      summary: 'Create an empty pod to which apps can be added',
      usage: '',
      description: 'Runs in the foreground until the pod is stopped. Apps come and go with "rkt app add", "start", "stop" and "rm"; their ends do not end the pod.',
      grammar: 'mixed',
      root: true,
      flags: [...sandboxFlags, uuidFileSaveFlag],
      load: () => import('../commands/app-sandbox.ts'),
    },
    {
      name: 'start',
      summary: 'Start an app in a pod',
      usage: 'UUID --app=NAME',
      description: 'Starts an app that was added, or that has ended.',
      grammar: 'mixed',
      root: true,
      flags: [appNameFlag, uuidFileFlag],
      load: () => import('../commands/app-start.ts'),
    },
    {
      name: 'status',
      summary: 'Get the status of an app in a pod',
      usage: 'UUID --app=NAME',
      grammar: 'mixed',
      flags: [appNameFlag, formatFlag, uuidFileFlag],
      load: () => import('../commands/app-status.ts'),
    },
    {
      name: 'stop',
      summary: 'Stop an app in a pod',
      usage: 'UUID --app=NAME',
      description: 'Asks the app to end (SIGTERM, or the signal that its image names), and kills it when its time is up.',
      grammar: 'mixed',
      root: true,
      flags: [appNameFlag, { name: 'force', type: 'bool', help: 'kill the app at once' }, uuidFileFlag],
      load: () => import('../commands/app-stop.ts'),
    },
  ]
}
