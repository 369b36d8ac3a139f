import type { Flag } from './types.ts'

/** Where images come from: run, prepare and fetch. */
export const storeFlags: readonly Flag[] = [
  { name: 'store-only', type: 'bool', hidden: true, help: 'deprecated: use --pull-policy=never' },
  { name: 'no-store', type: 'bool', hidden: true, help: 'deprecated: use --pull-policy=update' },
]

const stage1Flags: readonly Flag[] = [
  { name: 'isolation', type: 'list', placeholder: 'fly|ns|kvm|oci:RUNTIME', help: 'how the pod is kept apart from the host (default: ns, or what the configuration says)' },
  { name: 'stage1-url', type: 'list', placeholder: 'URL', help: 'URL to an image to use as stage1' },
  { name: 'stage1-path', type: 'list', placeholder: 'FILE', help: 'path to an image to use as stage1' },
  { name: 'stage1-name', type: 'list', placeholder: 'NAME', help: 'name of an image to use as stage1' },
  { name: 'stage1-hash', type: 'list', placeholder: 'ID', help: 'ID of an image to use as stage1' },
  { name: 'stage1-from-dir', type: 'list', placeholder: 'FILE', help: 'file name of an image in the stage1 directory' },
]

/** What a pod is made of: run and prepare. */
export const prepareFlags: readonly Flag[] = [
  ...stage1Flags,
  ...storeFlags,
  { name: 'pull-policy', type: 'text', default: 'new', placeholder: 'never|new|update', help: 'when to pull an image' },
  { name: 'volume', type: 'list', placeholder: 'NAME,kind=KIND,…', help: 'volume to make available in the pod: NAME,kind=host|empty[,source=PATH,readOnly=BOOL,recursive=BOOL,propagation=KIND,mode=MODE,uid=N,gid=N]' },
  { name: 'port', type: 'list', placeholder: 'NAME:[HOSTIP:]HOSTPORT', help: 'port of an app to expose on the host' },
  { name: 'inherit-env', type: 'bool', help: 'inherit all environment variables not set by apps' },
  { name: 'set-env', type: 'list', placeholder: 'NAME=VALUE', help: 'environment variable to set for all the apps' },
  { name: 'set-env-file', type: 'list', placeholder: 'FILE', help: 'file of environment variables to set for all the apps, one NAME=VALUE a line' },
  { name: 'pod-manifest', type: 'text', placeholder: 'FILE', help: 'pod manifest to use instead of one made of images and flags' },
  { name: 'no-overlay', type: 'bool', help: 'copy the image instead of using an overlay file system' },
  { name: 'private-users', type: 'bool', default: 'true', help: 'run the pod in a user namespace' },
]

/** How a prepared pod is started: run and run-prepared. */
export const startFlags: readonly Flag[] = [
  { name: 'net', type: 'list', bare: 'default', default: 'default', placeholder: 'NETWORK[:ARGS],…', help: "networking of the pod: 'default', 'none', 'host', or networks with their arguments" },
  { name: 'dns', type: 'list', placeholder: 'IP,…', help: "name servers to write in /etc/resolv.conf, 'host' or 'none'" },
  { name: 'dns-search', type: 'list', placeholder: 'DOMAIN,…', help: 'DNS search domains to write in /etc/resolv.conf' },
  { name: 'dns-opt', type: 'list', placeholder: 'OPTION,…', help: 'DNS options to write in /etc/resolv.conf' },
  { name: 'dns-domain', type: 'text', placeholder: 'DOMAIN', help: 'DNS domain to write in /etc/resolv.conf' },
  { name: 'hosts-entry', type: 'list', placeholder: 'IP=NAME,…', help: "entries to add to the pod's /etc/hosts, or 'host' to use the host's" },
  { name: 'interactive', type: 'bool', help: 'run the pod interactively on the terminal; one app only' },
  { name: 'mds-register', type: 'bool', help: 'register the pod with the metadata service' },
  { name: 'hostname', type: 'text', placeholder: 'NAME', help: "the pod's host name (default: rkt-UUID)" },
  { name: 'ipc', type: 'text', placeholder: 'auto|private|parent', help: 'whether the pod has an IPC namespace of its own (default: auto)' },
  { name: 'log-size', type: 'text', placeholder: 'QUANTITY', help: 'most bytes of one log file of an app (default: 10Mi; 0: no limit)' },
  { name: 'log-files', type: 'int', placeholder: 'N', help: 'number of log files that are kept of an app (default: 5)' },
  { name: 'rm', type: 'bool', help: 'remove the pod when it has ended' },
  { name: 'dry-run', type: 'bool', help: 'print the launch plan as JSON and start nothing' },
]

/** What a pod without apps is made of, and how it is started. */
export const sandboxFlags: readonly Flag[] = [
  ...stage1Flags,
  { name: 'port', type: 'list', placeholder: 'NAME:PROTO:PODPORT:HOSTIP:HOSTPORT', help: 'port of the pod to expose on the host' },
  { name: 'annotation', type: 'list', placeholder: 'NAME=VALUE', help: "set the pod's annotations" },
  { name: 'user-annotation', type: 'list', placeholder: 'NAME=VALUE', help: "set the pod's user annotations" },
  { name: 'user-label', type: 'list', placeholder: 'NAME=VALUE', help: "set the pod's user labels" },
  ...prepareFlags.filter(({ name }) => name === 'no-overlay' || name === 'private-users'),
  ...startFlags.map((flag): Flag => (flag.name === 'interactive' ? { ...flag, hidden: true, unsupported: true } : flag)),
]

/** Reads the pod's UUID from a file. */
export const uuidFileFlag: Flag = { name: 'uuid-file', type: 'text', placeholder: 'FILE', help: 'read the pod UUID from this file' }

/** Writes the pod's UUID to a file. */
export const uuidFileSaveFlag: Flag = { name: 'uuid-file-save', type: 'text', placeholder: 'FILE', help: 'write the pod UUID to this file' }

/** How tables and objects are printed. */
export const formatFlag: Flag = { name: 'format', type: 'text', placeholder: 'json|json-pretty', help: 'output format (default: a table)' }

export const fullFlag: Flag = { name: 'full', type: 'bool', help: 'use long output format' }

export const noLegendFlag: Flag = { name: 'no-legend', type: 'bool', help: 'suppress a legend with the list' }

export const prettyPrintFlag: Flag = { name: 'pretty-print', type: 'bool', default: 'true', help: 'indent the JSON' }
