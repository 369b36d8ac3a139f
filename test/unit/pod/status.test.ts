import test from 'ava'
import { mkdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { formatListFaults, formatPodList, formatPodStatus, type Pod, podListToJson, podToJson, readStatus } from '../../../src/pod/index.ts'
import { parseACName } from '../../../src/spec/index.ts'
import { tabulate } from '../../../src/cli/tabulate.ts'
import { longTime, relativeTime } from '../../../src/cli/times.ts'
import { appArgs, imageID, makePlace, type Place, prepareSample } from './fixtures/sample.ts'

const nowMs = Date.UTC(2026, 0, 2, 12, 0, 0)
const minuteMs = 60_000

const time = (timeMs: number | undefined): string => relativeTime(timeMs, nowMs)

function stamp(pod: Pod, path: string, agoMs: number, content = ''): void {
  writeFileSync(pod.inside(path), content)
  utimesSync(pod.inside(path), (nowMs - agoMs) / 1000, (nowMs - agoMs) / 1000)
}

/** A pod of two apps that was started five minutes ago, as the launcher leaves it. */
async function startedPod(place: Place): Promise<Pod> {
  const pod = await prepareSample(place, { apps: [appArgs({ name: parseACName('web') }), appArgs({ name: parseACName('log') })] })
  pod.toRun()
  stamp(pod, 'pod-created', 7 * minuteMs)
  stamp(pod, 'pid', 5 * minuteMs, '4711\n')
  const network = { netName: 'default', netConf: 'net/99-default.conf', pluginPath: '/usr/lib/cni/ptp', ifName: 'eth0', ip: '172.16.28.2', args: '', mask: '255.255.255.0', hostIP: '172.16.28.1' }
  writeFileSync(pod.inside('net-info.json'), JSON.stringify([network]))
  return pod
}

/** The pod's fields that differ from run to run, made constant. */
function masked(text: string, pod: Pod): string {
  return text.replaceAll(pod.uuid, 'UUID').replaceAll(pod.uuid.slice(0, 8), 'UUID8')
}

test('list separates its cells with tabs, and leaves the pod’s cells blank for further apps', async (t) => {
  using place = makePlace()
  using pod = await startedPod(place)
  const rows = formatPodList([readStatus(pod)], { full: false, legend: true, time })
  t.is(
    masked(tabulate(rows), pod),
    'UUID\t\tAPP\tIMAGE NAME\t\t\tSTATE\tCREATED\t\tSTARTED\t\tNETWORKS\n' +
      'UUID8\tweb\texample.com/tools/busybox:1.2.3\trunning\t7 minutes ago\t5 minutes ago\tdefault:ip4=172.16.28.2\n' +
      '\t\tlog\texample.com/tools/busybox:1.2.3\t\t\t\t\t\t\n',
  )
})

test('list --full has whole UUIDs and a column of image IDs', async (t) => {
  using place = makePlace()
  using pod = await startedPod(place)
  const [heading, row] = formatPodList([readStatus(pod)], { full: true, legend: true, time })
  t.deepEqual(heading, ['UUID', 'APP', 'IMAGE NAME', 'IMAGE ID', 'STATE', 'CREATED', 'STARTED', 'NETWORKS'])
  t.deepEqual(row?.slice(0, 4), [pod.uuid, 'web', 'example.com/tools/busybox:1.2.3', 'sha512-bbbbbbbbbbbb'])
  t.deepEqual(formatPodList([], { full: false, legend: false, time }), [])
})

test('list shows a pod without a readable manifest with dashes, and says what is wrong', async (t) => {
  using place = makePlace()
  using pod = await startedPod(place)
  rmSync(pod.inside('appsinfo/web/manifest'))
  t.deepEqual(formatPodList([readStatus(pod)], { full: false, legend: false, time })[0]?.slice(0, 4), [pod.uuid.slice(0, 8), 'web', '--', 'running'])
  writeFileSync(pod.inside('pod'), '{')
  const status = readStatus(pod)
  t.deepEqual(formatPodList([status], { full: false, legend: false, time })[0]?.slice(0, 4), [pod.uuid.slice(0, 8), '-', '-', 'running'])
  const faults = formatListFaults(status.faults)
  t.is(faults[0], '1 error(s) encountered when listing pods:')
  t.regex(faults[2] ?? '', new RegExp(`^cannot read manifest of pod "${pod.uuid}": `))
  t.deepEqual(formatListFaults([]), [])
})

test('status of a running pod', async (t) => {
  using place = makePlace()
  using pod = await startedPod(place)
  t.deepEqual(formatPodStatus(readStatus(pod), { time: longTime }).filter((line) => !line.startsWith('image-')), [
    'state=running',
    `created=${longTime(nowMs - 7 * minuteMs)}`,
    `started=${longTime(nowMs - 5 * minuteMs)}`,
    'networks=default:ip4=172.16.28.2',
    'pid=4711',
    'exited=false',
    'isolation=ns',
  ])
})

test('status of an exited pod has the exit codes, then who vouched for the images, then why the start failed', async (t) => {
  using place = makePlace()
  using pod = await startedPod(place)
  stamp(pod, 'stage1/rootfs/rkt/status/web', minuteMs, '0')
  stamp(pod, 'stage1/rootfs/rkt/status/log', minuteMs, '143\n')
  writeFileSync(pod.inside('failure'), 'cannot mount "/x\u001b[2J": EINVAL\nmore\n')
  writeFileSync(pod.inside('appsinfo/log/verdict'), JSON.stringify(signedVerdict))
  pod.unlock()
  t.deepEqual(formatPodStatus(readStatus(pod), { time: longTime }).slice(3), [
    'networks=default:ip4=172.16.28.2',
    'pid=4711',
    'exited=true',
    'app-web=0',
    'app-log=143',
    `image-web=example.com/tools/busybox (${imageID}) waived: --insecure-options=image`,
    `image-log=example.com/tools/busybox (${imageID}) signed by ${'1'.repeat(40)} "Ann <ann@example.com>"`,
    'isolation=ns',
    'error=cannot mount "/x\\u{1b}[2J": EINVAL',
  ])
})

const signedVerdict = {
  kind: 'signed',
  signatureKind: 'openpgp',
  fingerprint: '2'.repeat(40),
  keyFingerprint: '1'.repeat(40),
  signerIdentities: ['Ann <ann@example.com>', 'Ann at work'],
  scope: { kind: 'prefix', prefix: 'example.com' },
  keyPath: '/etc/rkt/trustedkeys/prefix.d/example.com/1',
  signedAt: '2026-01-01T00:00:00.000Z',
  nameSource: 'requested',
  judgedAt: '2026-01-01T00:00:00.000Z',
  trustState: 'x',
}

test('only pods that ran say whether they have exited', async (t) => {
  using place = makePlace()
  using pod = await prepareSample(place)
  const keys = (): string[] => formatPodStatus(readStatus(pod), { time: longTime }).map((line) => line.replace(/=.*/, ''))
  t.deepEqual(keys(), ['state'])
  pod.toPrepared()
  t.deepEqual(keys(), ['state', 'created', 'image-busybox', 'isolation'])
  pod.moveTo('run')
  t.deepEqual(keys(), ['state', 'created', 'networks', 'exited', 'image-busybox', 'isolation'])
  pod.moveTo('exited-garbage')
  t.deepEqual(keys(), ['state', 'created', 'exited', 'image-busybox', 'isolation'])
  t.true(formatPodStatus(readStatus(pod), { time: longTime }).includes('exited=true'))
  t.true(pod.lock())
  t.true(formatPodStatus(readStatus(pod), { time: longTime }).includes('exited=false'))
})

test('the state of an app follows that of its pod, and its own exit', async (t) => {
  using place = makePlace()
  using pod = await startedPod(place)
  const states = (): string[] => readStatus(pod).apps.map((app) => app.state)
  t.deepEqual(states(), ['running', 'running'])
  stamp(pod, 'stage1/rootfs/rkt/status/web', minuteMs, 'not a number')
  t.deepEqual(states(), ['exited', 'running'])
  t.is(readStatus(pod).apps[0]?.exitCode, 1)
  pod.unlock()
  t.deepEqual(states(), ['exited', 'exited'])
})

test('JSON has the members of the original, and null for no pods', async (t) => {
  using place = makePlace()
  using pod = await startedPod(place)
  stamp(pod, 'stage1/rootfs/rkt/status/web-created', 6 * minuteMs)
  stamp(pod, 'stage1/rootfs/rkt/status/web-started', 5 * minuteMs)
  stamp(pod, 'stage1/rootfs/rkt/status/web', minuteMs, '3')
  const json = JSON.parse(JSON.stringify(podToJson(readStatus(pod))))
  t.deepEqual(Object.keys(json), ['name', 'state', 'networks', 'app_names', 'apps', 'created_at', 'started_at', 'isolation'])
  t.is(json.name, pod.uuid)
  t.deepEqual(json.app_names, ['web', 'log'])
  t.deepEqual(json.networks, [{ netName: 'default', netConf: 'net/99-default.conf', pluginPath: '/usr/lib/cni/ptp', ifName: 'eth0', ip: '172.16.28.2', args: '', mask: '255.255.255.0' }])
  t.deepEqual([json.created_at, json.started_at], [(nowMs - 7 * minuteMs) / 1000, (nowMs - 5 * minuteMs) / 1000])
  t.deepEqual(json.apps[0], {
    name: 'web',
    state: 'exited',
    created_at: (nowMs - 6 * minuteMs) * 1e6,
    started_at: (nowMs - 5 * minuteMs) * 1e6,
    finished_at: (nowMs - minuteMs) * 1e6,
    exit_code: 3,
    image_id: imageID,
    signature: { kind: 'waived', reason: '--insecure-options=image', at: '2026-01-02T03:04:05.000Z' },
  })
  t.is(JSON.stringify(podListToJson([])), 'null')
})

test('JSON of a pod that is being prepared leaves out what is not known', (t) => {
  using place = makePlace()
  using pod = place.pods.create()
  t.deepEqual(podToJson(readStatus(pod)), { name: pod.uuid, state: 'preparing', app_names: [] })
})

test('one damaged pod never hides the others', async (t) => {
  using place = makePlace()
  using good = await startedPod(place)
  const damages: readonly ((pod: Pod) => void)[] = [
    (pod) => rmSync(pod.inside('pod')),
    (pod) => writeFileSync(pod.inside('net-info.json'), '[1,'),
    (pod) => writeFileSync(pod.inside('appsinfo/web/verdict'), 'null'),
    (pod) => writeFileSync(pod.inside('pid'), 'x'),
    (pod) => rmSync(pod.inside('stage1'), { recursive: true }),
    (pod) => {
      rmSync(pod.inside('pod'))
      mkdirSync(pod.inside('pod'))
    },
  ]
  for (const damage of damages) {
    using pod = await startedPod(place)
    damage(pod)
    const all = place.pods.list().map((one) => readStatus(one))
    t.is(all.find((one) => one.uuid === good.uuid)?.apps.length, 2)
    t.is(all.find((one) => one.uuid === pod.uuid)?.state, 'running')
  }
  t.true(readFileSync(join(good.dir, 'pod')).length > 0)
})
