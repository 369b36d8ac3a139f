import type { Flag } from './types.ts'

/** Path of a local signature: the one per-app flag that `fetch` has too. */
export const signatureFlag: Flag = {
  name: 'signature',
  type: 'text',
  placeholder: 'FILE',
  help: 'local signature file to use in validating the preceding image',
}

/** The name that the preceding image must turn out to have: of a file or URL, which otherwise says itself what it is called. */
export const expectNameFlag: Flag = {
  name: 'expect-name',
  type: 'text',
  placeholder: 'NAME',
  help: 'name, with version and labels if wanted, that the preceding image must have: NAME[:VERSION][,LABEL=VALUE]',
}

/** A volume and its place in one app: only `app add` has it. */
export const mountVolumeFlag: Flag = {
  name: 'mnt-volume',
  type: 'list',
  placeholder: 'target=PATH,kind=KIND,…',
  help: 'volume to mount in the app: target=PATH,kind=host|empty[,name=NAME,source=PATH,readOnly=BOOL,recursive=BOOL,mode=MODE,uid=N,gid=N]',
}

/** Flags that belong to the image before them. */
export const appFlags: readonly Flag[] = [
  { name: 'exec', type: 'text', placeholder: 'PATH', help: 'override the exec command of the preceding image' },
  signatureFlag,
  expectNameFlag,
  { name: 'mount', type: 'list', placeholder: 'volume=NAME,target=PATH', help: 'mount a volume into the preceding image; before every image: into all of them' },
  { name: 'working-dir', type: 'text', placeholder: 'PATH', help: 'override the working directory of the preceding image' },
  { name: 'readonly-rootfs', type: 'bool', help: "mount the app's root file system read-only" },
  { name: 'user', type: 'text', placeholder: 'USER', help: 'override the user of the preceding image: name, number, or path of a file it owns' },
  { name: 'group', type: 'text', placeholder: 'GROUP', help: 'override the group of the preceding image: name, number, or path of a file it owns' },
  { name: 'supplementary-gids', type: 'text', placeholder: 'GID,…', help: 'override the supplementary group IDs of the preceding image' },
  { name: 'name', type: 'text', placeholder: 'NAME', help: 'set the name of the app (default: last part of the image name)' },
  { name: 'annotation', type: 'list', placeholder: 'NAME=VALUE', help: "set the app's annotations" },
  { name: 'user-annotation', type: 'list', placeholder: 'NAME=VALUE', help: "set the app's user annotations" },
  { name: 'user-label', type: 'list', placeholder: 'NAME=VALUE', help: "set the app's user labels" },
  { name: 'environment', type: 'list', placeholder: 'NAME=VALUE', help: "set the app's environment variables" },
  { name: 'memory', type: 'text', placeholder: 'QUANTITY', help: 'memory limit of the preceding image (16Mi, 50M, 1G)' },
  { name: 'cpu', type: 'text', placeholder: 'QUANTITY', help: 'CPU limit of the preceding image (500m)' },
  { name: 'cpu-shares', type: 'int', placeholder: 'N', help: 'CPU weight of the preceding image (2 to 262144)' },
  { name: 'caps-retain', type: 'text', placeholder: 'CAP_X,…', help: 'capabilities to retain in the preceding image' },
  { name: 'caps-remove', type: 'text', placeholder: 'CAP_X,…', help: 'capabilities to remove from the preceding image' },
  { name: 'cap-retain', type: 'text', hidden: true, placeholder: 'CAP_X,…', help: 'deprecated: use --caps-retain' },
  { name: 'cap-remove', type: 'text', hidden: true, placeholder: 'CAP_X,…', help: 'deprecated: use --caps-remove' },
  { name: 'seccomp', type: 'text', placeholder: 'mode=MODE,…', help: 'system call filter of the preceding image: mode=retain|remove[,errno=ERRNO],CALL,…' },
  { name: 'stdin', type: 'text', placeholder: 'null|stream|tty', help: 'standard input of the app: nothing, or what those send who attach (default: null)' },
  { name: 'stdout', type: 'text', placeholder: 'null|log|stream|tty', help: 'where the output of the app goes beside its log: nowhere, to the caller, to those who attach (default: log)' },
  { name: 'stderr', type: 'text', placeholder: 'null|log|stream|tty', help: 'where the error output of the app goes, as --stdout (default: log)' },
  { name: 'oom-score-adj', type: 'int', placeholder: 'N', help: 'OOM score adjustment of the preceding image (-1000 to 1000)' },
]
