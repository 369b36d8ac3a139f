import { execFile } from 'node:child_process'
import { existsSync, statSync } from 'node:fs'
import { createServer } from 'node:net'
import { promisify } from 'node:util'
import test from 'ava'
import { makeAci } from '../support/aci.ts'
import { openApiClient } from '../support/api-client.ts'
import { startApi } from '../support/api-scene.ts'
import { shellLayer, writeLayerImage } from '../support/oci-layers.ts'
import { projectRoot, rktProgram } from '../support/paths.ts'
import { openPodScene, until } from '../support/pod-scene.ts'
import { placeFlags, rkt } from '../support/run.ts'

const scene = await openPodScene({ manifest: { name: 'example.com/api', annotations: [{ name: 'authors', value: 'us' }] } })
test.after.always(() => scene[Symbol.dispose]())
const { place, dir } = scene
const run = promisify(execFile)

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '::1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  return typeof address === 'object' ? (address?.port ?? 0) : 0
}

test('the service listens on both loopback addresses, says so in the words of the original, and ends well at a signal', async (t) => {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    const port = await freePort()
    await using api = await startApi({ place, dir, flags: [`--listen=localhost:${port}`] })
    for (const target of [`127.0.0.1:${port}`, `[::1]:${port}`]) {
      using client = openApiClient(target)
      const { info } = await client.call('GetInfo')
      t.deepEqual(info, {
        rkt_version: '2.0.0',
        appc_version: '0.8.11',
        api_version: '1.0.0-alpha',
        global_flags: {
          dir,
          system_config_dir: `${dir}.config/system`,
          local_config_dir: `${dir}.config/local`,
          user_config_dir: `${dir}.config/user`,
          insecure_flags: 'none',
          trust_keys_from_https: false,
        },
      })
    }
    t.is(await api.stop(signal), 0)
    const words = ['API service starting...', `Listening on 127.0.0.1:${port}`, `Listening on [::1]:${port}`, 'API service running', 'API service exiting...']
    t.is(api.stderr(), words.map((line) => `api-service: ${line}\n`).join(''))
  }
})

test('clients of other makers understand it: the C++ library of gRPC, and curl', async (t) => {
  await using api = await startApi({ place, dir })
  const [target = ''] = api.targets
  const call = async (method: string, request: string): Promise<string> => (await run('/usr/bin/python3', ['test/functional/grpc-client.py', target, method, request])).stdout.trim()
  t.regex(Buffer.from(await call('GetInfo', ''), 'hex').toString('latin1'), /^\n.{1,3}\n\x052\.0\.0\x12\x060\.8\.11\x1a\x0b1\.0\.0-alpha"/s)
  t.is(await call('InspectPod', ''), 'INVALID_ARGUMENT')
  t.is(await call('InspectPod', `0a24${Buffer.from('0f9d9d92-3b0b-4c6b-8f0a-6a5ad2f8b1c1').toString('hex')}`), 'NOT_FOUND')
  t.is(await call('NoMethod', ''), 'UNIMPLEMENTED')
  t.is(await call('ListPods', 'ff'), 'INVALID_ARGUMENT')
  const { stdout } = await run('curl', ['--silent', '--http2-prior-knowledge', '--include', '--header', 'content-type: application/grpc', '--data-binary', '', `http://${target}/v1alpha.PublicAPI/GetInfo`])
  t.regex(stdout, /^HTTP\/2 200[^]*grpc-status: 3\r\n/)
  for (const [words, answer] of [[[], 405], [['--data', 'x'], 415]] as const) {
    t.is((await run('curl', ['--silent', '--http2-prior-knowledge', '--output', '/dev/null', '--write-out', '%{http_code}', ...words, `http://${target}/`])).stdout, String(answer))
  }
})

test('sockets that a supervisor passes are all used, TCP and Unix; --listen besides them is refused', async (t) => {
  const path = place.in('passed.sock')
  const before = ['/usr/bin/python3', 'test/functional/activate.py', `127.0.0.1/0,::1/0,${path}`]
  await using api = await startApi({ place, dir, flags: [], before })
  t.regex(api.targets.join(' '), /^127\.0\.0\.1:\d+ \[::1\]:\d+ unix:\/\S+$/)
  for (const target of api.targets) {
    using client = openApiClient(target)
    t.truthy((await client.call('GetInfo'))['info'])
  }
  t.is(await api.stop(), 0)
  const refused = await rkt(['test/functional/activate.py', place.in('other.sock'), rktProgram, ...placeFlags(dir), 'api-service', '--listen=127.0.0.1:0'], { program: '/usr/bin/python3' })
  t.is(refused.code, 254)
  t.is(refused.stderr, 'api-service: cannot use --listen: the supervisor has passed sockets\n')
})

test('a socket at a path is for its group alone; one that was left is replaced, one in use and a file are not', async (t) => {
  const path = place.in('api.sock')
  await (await startApi({ place, dir, flags: [`--listen=unix:${path}`] })).stop('SIGKILL')
  t.true(existsSync(path))
  await using api = await startApi({ place, dir, flags: [`--listen=${path}`] })
  t.is(statSync(path).mode & 0o777, 0o660)
  t.deepEqual(api.targets, [`unix:${path}`])
  t.is((await scene.rkt(['api-service', `--listen=${path}`])).code, 254)
  t.is((await scene.rkt(['api-service', `--listen=${place.in('api-0.stderr')}`])).code, 254)
  using client = openApiClient(`unix:${path}`)
  t.truthy((await client.call('GetInfo'))['info'])
})

test('pods are listed and inspected, by filters, with and without details', async (t) => {
  await using api = await startApi({ place, dir })
  using client = openApiClient(api.targets[0] ?? '')
  const words = (name: string, line: string): string[] => [scene.image, `--name=${name}`, '--exec=/bin/sh', '--', '-c', line]
  const pod = await scene.start([...words('red', 'exec sleep 60'), '---', ...words('blue', 'exit 0')])
  const prepared = (await scene.rkt(['prepare', '--quiet', scene.image])).stdout.trim()
  const ids = async (filters: readonly object[]): Promise<readonly unknown[]> => {
    const { pods } = await client.call('ListPods', { filters })
    return Array.isArray(pods) ? pods.map(({ id }: { readonly id: unknown }) => id).sort() : []
  }
  const here = [{ ids: [pod.uuid, prepared] }]
  t.deepEqual(await ids(here), [pod.uuid, prepared].sort())
  t.deepEqual(await ids([{ ids: [pod.uuid, prepared], states: ['POD_STATE_RUNNING'] }]), [pod.uuid])
  t.deepEqual(await ids([{ states: ['POD_STATE_PREPARED'], ids: [prepared] }, { app_names: ['red', 'blue'] }]), [pod.uuid, prepared].sort())
  t.deepEqual(await ids([{ app_names: ['red', 'green'] }]), [])
  t.deepEqual(await ids([{ app_names: ['blue'], image_ids: [scene.image], annotations: [{ Key: 'coreos.com/rkt/stage1/mutable', value: 'false' }] }]), [pod.uuid])
  const { pod: inspected } = await client.call('InspectPod', { id: pod.uuid })
  const { pods: brief } = await client.call('ListPods', { filters: [{ app_names: ['red'] }] })
  const { pods: full } = await client.call('ListPods', { filters: [{ app_names: ['red'] }], detail: true })
  t.deepEqual(full, [inspected])
  const text = JSON.stringify(inspected, (_key, value: unknown) => (value instanceof Uint8Array ? Buffer.from(value).toString() : value))
  t.regex(text, /"state":"POD_STATE_RUNNING"/)
  t.regex(JSON.stringify(brief), /"manifest":\{"type":"Buffer","data":\[\]\}/)
  t.notRegex(JSON.stringify(brief), /example\.com\/api|APP_STATE_RUNNING|"gc_marked_at":"[1-9]/)
  const cgroup = /"cgroup":"(\/[^"]*)"/.exec(JSON.stringify(brief))?.[1]
  if (cgroup !== undefined) {
    t.deepEqual(await ids([{ cgroups: [cgroup] }]), [pod.uuid])
    t.deepEqual(await ids([{ pod_sub_cgroups: [`${cgroup}/red`] }]), [pod.uuid])
    t.deepEqual(await ids([{ cgroups: [`${cgroup}/red`] }]), [])
  }
  t.is((await scene.rkt(['stop', pod.uuid])).code, 0)
  await pod.end
  t.is((await scene.rkt(['gc', '--mark-only'])).code, 0)
  const { pod: marked } = await client.call('InspectPod', { id: pod.uuid })
  t.like(marked, { state: 'POD_STATE_GARBAGE', networks: [], cgroup: '' })
  t.regex(JSON.stringify(marked), /"gc_marked_at":"[1-9]\d{18}"/)
  t.regex(JSON.stringify(marked), /"state":"APP_STATE_EXITED"/)
})

test('images are listed and inspected, by filters, with and without details', async (t) => {
  await using api = await startApi({ place, dir })
  using client = openApiClient(api.targets[0] ?? '')
  const { image } = await client.call('InspectImage', { id: scene.image.slice(0, 20) })
  t.like(image, { id: scene.image, name: 'example.com/api', version: '1.0.0', base_format: { type: 'IMAGE_TYPE_APPC', version: '0.8.11' }, annotations: [{ Key: 'authors', value: 'us' }] })
  const listed = async (filters: readonly object[], detail = false): Promise<unknown> => (await client.call('ListImages', { filters, detail }))['images']
  t.deepEqual(await listed([{ base_names: ['api'], annotations: [{ Key: 'authors', value: 'us' }], labels: [{ Key: 'os', value: 'linux' }] }], true), [image])
  t.deepEqual(await listed([{ full_names: ['example.com'] }, { prefixes: ['x'] }]), [])
  t.regex(JSON.stringify(await listed([{ keywords: ['ample.com/a'] }])), /"manifest":\{"type":"Buffer","data":\[\]\}/)
  const { reference, digest } = writeLayerImage(place.in('layout'), { layers: [shellLayer], config: { Cmd: ['/bin/true'], Labels: { team: 'red' } } })
  const fetched = await scene.rkt(['fetch', '--full', reference])
  t.is(fetched.code, 0, fetched.stderr)
  const { image: oci } = await client.call('InspectImage', { id: digest })
  t.like(oci, { id: fetched.stdout.trim(), base_format: { type: 'IMAGE_TYPE_OCI', version: '1.0.0' } })
  const { manifest } = Object.fromEntries(Object.entries(oci ?? {}))
  t.regex(manifest instanceof Uint8Array ? Buffer.from(manifest).toString() : '', /"acKind":"ImageManifest"/)
  t.deepEqual(await listed([{ ids: [fetched.stdout.trim()] }], true), [oci])
  for (const [id, code] of [['sha512-0', 3], [`sha512-${'0'.repeat(64)}`, 5], ['', 3]] as const) {
    await t.throwsAsync(client.call('InspectImage', { id }), { code })
  }
})

test('events tell the life of a pod and of an image, to filters, until their time and from before', async (t) => {
  const began = Math.floor(Date.now() / 1000)
  await using api = await startApi({ place, dir })
  using client = openApiClient(api.targets[0] ?? '')
  const stream = client.stream('ListenEvents')
  const exits = client.stream('ListenEvents', { filter: { types: ['EVENT_TYPE_APP_EXITED'], until_time: began + 600 } })
  t.true(await stream.until((messages) => messages.length > 0))
  const { uuid, code } = await scene.shell('sleep 1; exit 7', { app: ['--name=one'] })
  t.is(code, 7)
  const types = (): readonly string[] => [...JSON.stringify(stream.messages).matchAll(/"type":"EVENT_TYPE_(\w+)","id":"([^"]*)"/g)].flatMap(([, type = '', id]) => (id === uuid ? type : []))
  t.true(await stream.until(() => types().includes('POD_GARBAGE_COLLECTED')), `${types().join(' ')} ${api.stderr()}`)
  t.deepEqual(types(), ['POD_PREPARED', 'POD_STARTED', 'APP_STARTED', 'APP_EXITED', 'POD_EXITED', 'POD_GARBAGE_COLLECTED'])
  t.true(await exits.until((messages) => JSON.stringify(messages).includes(uuid)))
  t.regex(JSON.stringify(exits.messages), new RegExp(`"id":"${uuid}","from":"one"`))
  const earlier = client.stream('ListenEvents', { filter: { ids: [uuid], since_time: began, until_time: began + 1 } })
  t.is(await earlier.end, 0, 'a stream whose time is over ends')
  const replayed = client.stream('ListenEvents', { filter: { ids: [uuid], names: ['one'], since_time: began } })
  t.true(await replayed.until((messages) => /APP_STARTED.*APP_EXITED/.test(JSON.stringify(messages))))
  t.is(await api.stop(), 0)
  t.deepEqual(await Promise.all([stream.end, exits.end, replayed.end]), [14, 14, 14], 'UNAVAILABLE')
})

test('logs come whole, by app, by number, and as they are written', async (t) => {
  await using api = await startApi({ place, dir })
  using client = openApiClient(api.targets[0] ?? '')
  const words = (name: string, line: string): string[] => [scene.image, `--name=${name}`, '--exec=/bin/sh', '--', '-c', line]
  const pod = await scene.start([...words('one', 'echo a; echo b; sleep 1.5; printf c; echo d >&2'), '---', ...words('two', 'echo z')])
  const lines = async (request: object): Promise<readonly unknown[]> => {
    const stream = client.stream('GetLogs', { pod_id: pod.uuid, ...request })
    t.is(await stream.end, 0)
    return stream.messages.flatMap((message) => message['lines'])
  }
  const followed = lines({ app_name: 'one', follow: true })
  t.is((await pod.end).code, 0)
  t.deepEqual([...(await followed)].slice(0, 2), ['a', 'b'])
  t.true((await followed).includes('d'))
  t.deepEqual(await lines({ app_name: 'one', lines: 1, until_time: Math.floor(Date.now() / 1000) + 60 }), (await lines({ app_name: 'one' })).slice(-1))
  t.deepEqual(await lines({ since_time: Math.floor(Date.now() / 1000) + 60 }), [])
  t.true((await lines({})).includes('two: z'))
  for (const [request, code] of [[{ pod_id: '' }, 3], [{ app_name: 'three' }, 5], [{ lines: -1 }, 3], [{ lines: 1_000_000 }, 8]] as const) {
    t.is(await client.stream('GetLogs', { pod_id: pod.uuid, ...request }).end, code)
  }
})

test('a member of group rkt who is not root serves pods, images, logs and events', async (t) => {
  const lines = [
    'set -e',
    'umask 022; chmod 755 "$DIR"; mkdir -m 777 "$DIR/shared"',
    'echo "rkt:x:54321:" > "$DIR/group"; mount --bind "$DIR/group" /etc/group',
    'RKT="$ROOT/build/bin/rkt --insecure-options=image --dir=$DIR/shared/data --system-config=$DIR/s --local-config=$DIR/l"',
    '$RKT fetch "$ACI" >/dev/null',
    'setpriv --reuid=65534 --regid=65534 --groups=54321 $RKT api-service --listen=unix:$DIR/shared/sock 2> "$DIR/err" & SERVICE=$!',
    'for i in $(seq 200); do grep -q running "$DIR/err" && break; sleep 0.05; done',
    'read -r _ < "$DIR/go"; $RKT run --net=none "$ACI" --name=one --exec=/bin/sh -- -c "echo said; exit 3" || true',
    'read -r _ < "$DIR/done"; kill $SERVICE; wait $SERVICE; echo "status $?"',
  ]
  const work = scene.place.in('unprivileged')
  await run('/bin/bash', ['-c', `chmod 755 ${place.path}; mkdir ${work}; mkfifo ${work}/go ${work}/done`])
  const service = run('/usr/bin/unshare', ['--mount', '/bin/bash', '-c', lines.join('\n')], { env: { PATH: process.env['PATH'], DIR: work, ROOT: projectRoot, ACI: makeAci() } })
  try {
    await until('the service of another user', () => existsSync(`${work}/shared/sock`))
    using client = openApiClient(`unix:${work}/shared/sock`)
    const stream = client.stream('ListenEvents')
    t.true(await stream.until((messages) => messages.length > 0))
    await run('/bin/bash', ['-c', `echo > ${work}/go`])
    t.true(await stream.until((messages) => JSON.stringify(messages).includes('POD_EXITED')), JSON.stringify(stream.messages))
    t.regex(JSON.stringify(stream.messages), /APP_STARTED.*APP_EXITED/)
    const { pods } = await client.call('ListPods', { detail: true })
    t.like(pods, [{ state: 'POD_STATE_EXITED', apps: [{ name: 'one', state: 'APP_STATE_EXITED', exit_code: 3 }] }])
    t.regex(JSON.stringify(pods), /"pid":[1-9]/)
    const { images } = await client.call('ListImages', { detail: true })
    t.like(images, [{ name: 'example.com/busybox' }])
    const id = /"id":"([0-9a-f-]{36})"/.exec(JSON.stringify(pods))?.[1] ?? ''
    const logs = client.stream('GetLogs', { pod_id: id })
    t.is(await logs.end, 0)
    t.deepEqual(logs.messages.flatMap((message) => message['lines']), ['said'])
  } finally {
    await run('/bin/bash', ['-c', `timeout 5 sh -c 'echo > ${work}/go' & timeout 20 sh -c 'echo > ${work}/done'`])
  }
  t.is((await service).stdout.trim().split('\n').at(-1), 'status 0')
})
