import type { Flag } from './types.ts'

/** Flags of every command. */
export const globalFlags: readonly Flag[] = [
  { name: 'debug', type: 'bool', help: 'print out more debug information to stderr' },
  { name: 'dir', type: 'text', default: '/var/lib/rkt', placeholder: 'DIR', help: 'rkt data directory' },
  { name: 'system-config', type: 'text', default: '/usr/lib/rkt', placeholder: 'DIR', help: 'system configuration directory' },
  { name: 'local-config', type: 'text', default: '/etc/rkt', placeholder: 'DIR', help: 'local configuration directory' },
  { name: 'user-config', type: 'text', default: '', placeholder: 'DIR', help: 'user configuration directory' },
  {
    name: 'insecure-options',
    type: 'list',
    placeholder: 'OPTIONS',
    help: 'comma-separated list of security features to disable: none, image, tls, ondisk, http, pubkey, capabilities, paths, seccomp, all-fetch, all-run, all',
  },
  {
    name: 'trust-keys-from-https',
    type: 'bool',
    help: 'automatically trust gpg keys that discovery finds over https, where none is trusted yet',
  },
  { name: 'cpuprofile', type: 'text', hidden: true, unsupported: true, help: 'write a CPU profile to this file' },
  { name: 'memprofile', type: 'text', hidden: true, unsupported: true, help: 'write a memory profile to this file' },
  { name: 'help', type: 'bool', hidden: true, help: 'print the help of the command' },
]
