/** A manifest, and who must refuse it. */
export interface Case {
  readonly title: string
  readonly manifest: unknown
  /** `beyond-schema`: a rule that JSON Schema has no words for; only the parser refuses. */
  readonly expected: 'good' | 'bad' | 'beyond-schema'
}

type Json = Readonly<Record<string, unknown>>

const imageID = `sha512-${'a'.repeat(64)}`

/** The smallest image manifest with an app. */
export function image(change: Json = {}): Json {
  return { acKind: 'ImageManifest', acVersion: '0.8.11', name: 'example.com/app', ...change }
}

/** The smallest image manifest whose app has the given members. */
export function imageWithApp(change: Json = {}): Json {
  return image({ app: { exec: ['/bin/true'], user: '0', group: '0', ...change } })
}

/** An image manifest whose app has one isolator. */
export function imageWithIsolator(name: string, value?: unknown): Json {
  return imageWithApp({ isolators: [value === undefined ? { name } : { name, value }] })
}

/** A pod manifest with one app. */
export function pod(change: Json = {}): Json {
  return { acVersion: '1.30.0', acKind: 'PodManifest', apps: [{ name: 'app', image: { id: imageID } }], volumes: null, isolators: null, annotations: null, ports: [], ...change }
}

/** A pod manifest with one volume. */
export function podWithVolume(volume: Json): Json {
  return pod({ volumes: [{ name: 'data', ...volume }] })
}

/** Every member of the format, once. */
export const fullImage: Json = image({
  labels: [
    { name: 'version', value: '1.2.3' },
    { name: 'os', value: 'linux' },
    { name: 'arch', value: 'amd64' },
  ],
  app: {
    exec: ['/usr/bin/server', '--quiet', ''],
    eventHandlers: [
      { name: 'pre-start', exec: ['/usr/bin/migrate'] },
      { name: 'post-stop', exec: ['/usr/bin/cleanup'] },
    ],
    user: '100',
    group: '300',
    supplementaryGIDs: [400, 500],
    workingDirectory: '/opt/work',
    environment: [{ name: 'REDUCE_WORKER_DEBUG', value: 'true' }],
    mountPoints: [{ name: 'work', path: '/var/lib/work', readOnly: true }, { name: 'db', path: '/db' }],
    ports: [{ name: 'health', protocol: 'tcp', port: 4000, count: 1, socketActivated: true }],
    isolators: [
      { name: 'resource/cpu', value: { request: '250m', limit: '500m' } },
      { name: 'resource/memory', value: { default: false, request: '1G', limit: '2G' } },
      { name: 'os/linux/capabilities-retain-set', value: { set: ['CAP_NET_BIND_SERVICE', 'CAP_SYS_ADMIN'] } },
      { name: 'os/linux/seccomp-remove-set', value: { set: ['@docker/default-blacklist'], errno: 'ENOSYS' } },
      { name: 'os/linux/no-new-privileges', value: true },
      { name: 'os/linux/oom-score-adj', value: -100 },
      { name: 'os/linux/cpu-shares', value: 512 },
      { name: 'os/linux/selinux-context', value: { user: 'system_u', role: 'system_r', type: 'dhcpc_t', level: 's0-s0:c0' } },
      { name: 'os/linux/apparmor-profile', value: { profile: 'docker-default' } },
      { name: 'os/unix/sysctl', value: { 'net.ipv4.tcp_mtu_probing': '1' } },
      { name: 'resource/network-bandwidth', value: { default: true, limit: '1G' } },
      { name: 'example.com/unheard-of', value: { deep: [1, { er: null }] } },
    ],
    userAnnotations: { 'a key': 'a value' },
    userLabels: { tier: 'front' },
  },
  annotations: [
    { name: 'authors', value: 'Carly Container <carly@example.com>' },
    { name: 'created', value: '2014-10-27T19:32:27.67021798Z' },
    { name: 'homepage', value: 'https://example.com' },
  ],
  dependencies: [{ imageName: 'example.com/base', imageID, labels: [{ name: 'os', value: 'linux' }], size: 22017258 }, { imageName: 'example.com/more' }],
  pathWhitelist: ['/etc/ca/example.com/crt', '/usr/bin/server'],
})

/** Every member of the format, once. */
export const fullPod: Json = pod({
  apps: [
    {
      name: 'server',
      image: { name: 'example.com/server', id: imageID, labels: [{ name: 'version', value: '1.0.0' }] },
      app: { exec: ['/bin/server'], user: '0', group: '0' },
      readOnlyRootFS: true,
      mounts: [
        { volume: 'work', path: '/var/lib/work' },
        { volume: 'own', path: '/own', appVolume: { name: 'own', kind: 'host', source: '/srv/own' } },
      ],
      annotations: [{ name: 'foo', value: 'baz' }],
    },
    { name: 'second', image: { id: `sha512-${'0'.repeat(128)}` } },
  ],
  volumes: [
    { name: 'work', kind: 'host', source: '/opt/tenant1/work', readOnly: true, recursive: false },
    { name: 'scratch', kind: 'empty', mode: '0777', uid: 10, gid: 20 },
  ],
  isolators: [{ name: 'resource/memory', value: { limit: '4G' } }],
  annotations: [{ name: 'ip-address', value: '10.1.2.3' }],
  ports: [
    { name: 'ftp', hostPort: 2121 },
    { name: 'http', hostPort: 8080, hostIP: '::1', podPort: { name: 'http', protocol: 'tcp', port: 80, count: 1, socketActivated: false } },
  ],
  userAnnotations: { a: 'b' },
  userLabels: { c: 'd' },
})

export const imageCases: readonly Case[] = [
  { title: 'the smallest manifest', manifest: image(), expected: 'good' },
  { title: 'every member', manifest: fullImage, expected: 'good' },
  { title: 'members that nobody knows', manifest: image({ extra: { a: 1 } }), expected: 'good' },
  { title: 'null for every list', manifest: image({ labels: null, app: null, annotations: null, dependencies: null, pathWhitelist: null }), expected: 'good' },
  { title: 'an empty exec', manifest: imageWithApp({ exec: [] }), expected: 'good' },
  { title: 'no exec', manifest: image({ app: { user: '0', group: '0' } }), expected: 'good' },
  { title: 'an empty working directory', manifest: imageWithApp({ workingDirectory: '' }), expected: 'good' },
  { title: 'a label without a value', manifest: image({ labels: [{ name: 'channel' }] }), expected: 'good' },
  { title: 'names of Object.prototype', manifest: image({ name: 'constructor', labels: [{ name: 'tostring', value: 'valueOf' }] }), expected: 'good' },
  { title: 'a quantity that is a number', manifest: imageWithIsolator('resource/memory', { limit: 1073741824 }), expected: 'good' },
  { title: 'a port range', manifest: imageWithApp({ ports: [{ name: 'p', protocol: 'udp', port: 65000, count: 536 }] }), expected: 'good' },
  { title: 'a port count of 0', manifest: imageWithApp({ ports: [{ name: 'p', port: 1, count: 0 }] }), expected: 'good' },
  { title: 'several no-new-privileges', manifest: imageWithApp({ isolators: [false, true].map((value) => ({ name: 'os/linux/no-new-privileges', value })) }), expected: 'good' },
  { title: 'an unknown isolator without a value', manifest: imageWithIsolator('example.com/x'), expected: 'good' },

  { title: 'a string', manifest: 'ImageManifest', expected: 'bad' },
  { title: 'null', manifest: null, expected: 'bad' },
  { title: 'an array', manifest: [image()], expected: 'bad' },
  { title: 'another kind', manifest: image({ acKind: 'PodManifest' }), expected: 'bad' },
  { title: 'no kind', manifest: { acVersion: '0.8.11', name: 'a' }, expected: 'bad' },
  { title: 'a version that is none', manifest: image({ acVersion: '0.8' }), expected: 'bad' },
  { title: 'version 0.0.0', manifest: image({ acVersion: '0.0.0' }), expected: 'bad' },
  { title: 'a name in capitals', manifest: image({ name: 'Example.com/app' }), expected: 'bad' },
  { title: 'a name with dots between slashes', manifest: image({ name: 'example.com/../app' }), expected: 'bad' },
  { title: 'a name with an empty component', manifest: image({ name: 'example.com//app' }), expected: 'bad' },
  { title: 'a name with a line feed at its end', manifest: image({ name: 'example.com/app\n' }), expected: 'bad' },
  { title: 'an endless name', manifest: image({ name: 'a'.repeat(1025) }), expected: 'bad' },
  { title: 'a label called name', manifest: image({ labels: [{ name: 'name', value: 'x' }] }), expected: 'bad' },
  { title: 'an os that nobody has', manifest: image({ labels: [{ name: 'os', value: 'beos' }] }), expected: 'bad' },
  { title: 'labels that are an object', manifest: image({ labels: { os: 'linux' } }), expected: 'bad' },
  { title: 'an app without a user', manifest: image({ app: { exec: [], group: '0' } }), expected: 'bad' },
  { title: 'an app with an empty user', manifest: imageWithApp({ user: '' }), expected: 'bad' },
  { title: 'an app with an empty group', manifest: imageWithApp({ group: '' }), expected: 'bad' },
  { title: 'a user that is a number', manifest: imageWithApp({ user: 0 }), expected: 'bad' },
  { title: 'an exec that is a string', manifest: imageWithApp({ exec: '/bin/true' }), expected: 'bad' },
  { title: 'an exec with a number', manifest: imageWithApp({ exec: ['/bin/true', 1] }), expected: 'bad' },
  { title: 'an exec with NUL', manifest: imageWithApp({ exec: ['/bin/true\0'] }), expected: 'bad' },
  { title: 'a relative working directory', manifest: imageWithApp({ workingDirectory: 'opt' }), expected: 'bad' },
  { title: 'an event handler of another name', manifest: imageWithApp({ eventHandlers: [{ name: 'pre-stop', exec: [] }] }), expected: 'bad' },
  { title: 'a bad environment name', manifest: imageWithApp({ environment: [{ name: '1A', value: '' }] }), expected: 'bad' },
  { title: 'an environment name with an equals sign', manifest: imageWithApp({ environment: [{ name: 'A=B', value: '' }] }), expected: 'bad' },
  { title: 'a negative group', manifest: imageWithApp({ supplementaryGIDs: [-1] }), expected: 'bad' },
  { title: 'the group that means none', manifest: imageWithApp({ supplementaryGIDs: [4294967295] }), expected: 'bad' },
  { title: 'a fraction for a group', manifest: imageWithApp({ supplementaryGIDs: [1.5] }), expected: 'bad' },
  { title: 'a mount point without a path', manifest: imageWithApp({ mountPoints: [{ name: 'a' }] }), expected: 'bad' },
  { title: 'a mount point with an empty path', manifest: imageWithApp({ mountPoints: [{ name: 'a', path: '' }] }), expected: 'bad' },
  { title: 'readOnly that is text', manifest: imageWithApp({ mountPoints: [{ name: 'a', path: '/a', readOnly: 'true' }] }), expected: 'bad' },
  { title: 'port 0', manifest: imageWithApp({ ports: [{ name: 'p', port: 0 }] }), expected: 'bad' },
  { title: 'port 65536', manifest: imageWithApp({ ports: [{ name: 'p', port: 65536 }] }), expected: 'bad' },
  { title: 'an annotation with a bad date', manifest: image({ annotations: [{ name: 'created', value: 'yesterday' }] }), expected: 'bad' },
  { title: 'a homepage that is no web page', manifest: image({ annotations: [{ name: 'homepage', value: 'javascript:alert(1)' }] }), expected: 'bad' },
  { title: 'a dependency with a short image ID', manifest: image({ dependencies: [{ imageName: 'a', imageID: 'sha512-abc' }] }), expected: 'bad' },
  { title: 'a dependency without a name', manifest: image({ dependencies: [{}] }), expected: 'bad' },
  { title: 'a relative path in the white list', manifest: image({ pathWhitelist: ['etc/passwd'] }), expected: 'bad' },
  { title: 'an isolator without a name', manifest: imageWithApp({ isolators: [{ value: true }] }), expected: 'bad' },
  { title: 'a known isolator without a value', manifest: imageWithIsolator('os/linux/cpu-shares'), expected: 'bad' },
  { title: 'an empty set of capabilities', manifest: imageWithIsolator('os/linux/capabilities-retain-set', { set: [] }), expected: 'bad' },
  { title: 'a seccomp set that is a string', manifest: imageWithIsolator('os/linux/seccomp-retain-set', { set: 'open' }), expected: 'bad' },
  { title: 'an errno in small letters', manifest: imageWithIsolator('os/linux/seccomp-retain-set', { set: ['open'], errno: 'eperm' }), expected: 'bad' },
  { title: 'too few CPU shares', manifest: imageWithIsolator('os/linux/cpu-shares', 1), expected: 'bad' },
  { title: 'too high a score', manifest: imageWithIsolator('os/linux/oom-score-adj', 1001), expected: 'bad' },
  { title: 'no-new-privileges that is text', manifest: imageWithIsolator('os/linux/no-new-privileges', 'true'), expected: 'bad' },
  { title: 'memory that is no quantity', manifest: imageWithIsolator('resource/memory', { limit: '1Q' }), expected: 'bad' },
  { title: 'negative memory', manifest: imageWithIsolator('resource/memory', { limit: '-1' }), expected: 'bad' },
  { title: 'default memory', manifest: imageWithIsolator('resource/memory', { default: true, limit: '1G' }), expected: 'bad' },
  { title: 'block bandwidth that is not the default', manifest: imageWithIsolator('resource/block-bandwidth', { limit: '1M' }), expected: 'bad' },
  { title: 'a SELinux role with a colon', manifest: imageWithIsolator('os/linux/selinux-context', { user: 'u', role: 'a:b', type: 't', level: 's0' }), expected: 'bad' },
  { title: 'a sysctl that is a number', manifest: imageWithIsolator('os/unix/sysctl', { 'kernel.x': 1 }), expected: 'bad' },
  { title: 'user labels that are no strings', manifest: imageWithApp({ userLabels: { a: 1 } }), expected: 'bad' },

  { title: 'a member that differs in capitals only', manifest: image({ Name: 'evil.com/app' }), expected: 'beyond-schema' },
  { title: 'an isolator with a second value in capitals', manifest: imageWithApp({ isolators: [{ name: 'os/linux/no-new-privileges', value: true, Value: false }] }), expected: 'beyond-schema' },
  { title: 'two labels of one name', manifest: image({ labels: [{ name: 'a', value: '1' }, { name: 'a', value: '2' }] }), expected: 'beyond-schema' },
  { title: 'an arch that the os has not', manifest: image({ labels: [{ name: 'os', value: 'linux' }, { name: 'arch', value: 'x86_64' }] }), expected: 'beyond-schema' },
  { title: 'two annotations of one name', manifest: image({ annotations: [{ name: 'a', value: '' }, { name: 'a', value: '' }] }), expected: 'beyond-schema' },
  { title: 'a date in the thirteenth month', manifest: image({ annotations: [{ name: 'created', value: '2014-13-27T19:32:27Z' }] }), expected: 'beyond-schema' },
  { title: 'two event handlers of one name', manifest: imageWithApp({ eventHandlers: [1, 2].map(() => ({ name: 'pre-start', exec: [] })) }), expected: 'beyond-schema' },
  { title: 'two variables of one name', manifest: imageWithApp({ environment: [{ name: 'A', value: '' }, { name: 'A', value: '' }] }), expected: 'beyond-schema' },
  { title: 'two mount points of one name', manifest: imageWithApp({ mountPoints: [{ name: 'a', path: '/a' }, { name: 'a', path: '/b' }] }), expected: 'beyond-schema' },
  { title: 'a port range past the end', manifest: imageWithApp({ ports: [{ name: 'p', port: 65000, count: 537 }] }), expected: 'beyond-schema' },
  {
    title: 'two seccomp sets',
    manifest: imageWithApp({ isolators: ['retain', 'remove'].map((mode) => ({ name: `os/linux/seccomp-${mode}-set`, value: { set: ['open'] } })) }),
    expected: 'beyond-schema',
  },
  { title: 'two CPU shares', manifest: imageWithApp({ isolators: [2, 3].map((value) => ({ name: 'os/linux/cpu-shares', value })) }), expected: 'beyond-schema' },
  { title: 'more memory than there are numbers', manifest: imageWithIsolator('resource/memory', { limit: '9E' }), expected: 'beyond-schema' },
]

export const podCases: readonly Case[] = [
  { title: 'one app', manifest: pod(), expected: 'good' },
  { title: 'every member', manifest: fullPod, expected: 'good' },
  { title: 'no app at all', manifest: pod({ apps: [] }), expected: 'good' },
  { title: 'null for the apps', manifest: pod({ apps: null }), expected: 'good' },
  { title: 'an app named like a member of Object.prototype', manifest: pod({ apps: [{ name: 'constructor', image: { id: imageID } }] }), expected: 'good' },
  { title: 'an empty volume with the defaults', manifest: podWithVolume({ kind: 'empty' }), expected: 'good' },
  { title: 'a host volume with undecided flags', manifest: podWithVolume({ kind: 'host', source: '/srv', readOnly: null, recursive: null }), expected: 'good' },
  { title: 'an IPv4 host address', manifest: pod({ ports: [{ name: 'p', hostPort: 1, hostIP: '127.0.0.1' }] }), expected: 'good' },

  { title: 'another kind', manifest: pod({ acKind: 'ImageManifest' }), expected: 'bad' },
  { title: 'apps that are an object', manifest: pod({ apps: {} }), expected: 'bad' },
  { title: 'an app without an image', manifest: pod({ apps: [{ name: 'a' }] }), expected: 'bad' },
  { title: 'an app without an image ID', manifest: pod({ apps: [{ name: 'a', image: { name: 'example.com/a' } }] }), expected: 'bad' },
  { title: 'an app name with a slash', manifest: pod({ apps: [{ name: 'a/b', image: { id: imageID } }] }), expected: 'bad' },
  { title: 'an app name that is a path', manifest: pod({ apps: [{ name: '..', image: { id: imageID } }] }), expected: 'bad' },
  { title: 'an image ID of another algorithm', manifest: pod({ apps: [{ name: 'a', image: { id: `sha256-${'a'.repeat(64)}` } }] }), expected: 'bad' },
  { title: 'an image ID with a path in it', manifest: pod({ apps: [{ name: 'a', image: { id: `sha512-../${'a'.repeat(64)}` } }] }), expected: 'bad' },
  { title: 'an app whose app is bad', manifest: pod({ apps: [{ name: 'a', image: { id: imageID }, app: { exec: [] } }] }), expected: 'bad' },
  { title: 'a mount without a path', manifest: pod({ apps: [{ name: 'a', image: { id: imageID }, mounts: [{ volume: 'v' }] }] }), expected: 'bad' },
  { title: 'a volume without a kind', manifest: podWithVolume({}), expected: 'bad' },
  { title: 'a volume of another kind', manifest: podWithVolume({ kind: 'tmpfs' }), expected: 'bad' },
  { title: 'a host volume without a source', manifest: podWithVolume({ kind: 'host' }), expected: 'bad' },
  { title: 'a host volume with a relative source', manifest: podWithVolume({ kind: 'host', source: 'srv' }), expected: 'bad' },
  { title: 'a host volume with a mode', manifest: podWithVolume({ kind: 'host', source: '/srv', mode: '0755' }), expected: 'bad' },
  { title: 'a host volume with a uid', manifest: podWithVolume({ kind: 'host', source: '/srv', uid: 0 }), expected: 'bad' },
  { title: 'an empty volume with a source', manifest: podWithVolume({ kind: 'empty', source: '/srv' }), expected: 'bad' },
  { title: 'a mode that is not octal', manifest: podWithVolume({ kind: 'empty', mode: '0799' }), expected: 'bad' },
  { title: 'a mode that is a number', manifest: podWithVolume({ kind: 'empty', mode: 493 }), expected: 'bad' },
  { title: 'a uid that means none', manifest: podWithVolume({ kind: 'empty', uid: 4294967295 }), expected: 'bad' },
  { title: 'host port 0', manifest: pod({ ports: [{ name: 'p', hostPort: 0 }] }), expected: 'bad' },
  { title: 'a host name for an address', manifest: pod({ ports: [{ name: 'p', hostPort: 1, hostIP: 'localhost' }] }), expected: 'bad' },

  { title: 'two apps of one name', manifest: pod({ apps: [1, 2].map(() => ({ name: 'a', image: { id: imageID } })) }), expected: 'beyond-schema' },
  { title: 'two volumes of one name', manifest: pod({ volumes: [1, 2].map(() => ({ name: 'v', kind: 'empty' })) }), expected: 'beyond-schema' },
  { title: 'an address with too few numbers', manifest: pod({ ports: [{ name: 'p', hostPort: 1, hostIP: '1.2.3' }] }), expected: 'beyond-schema' },
]
