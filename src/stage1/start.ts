import { chmodSync, closeSync, existsSync, mkdirSync, openSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { binding, type Log, mappedIdCount, writeDurably } from '../base/index.ts'
import { addNetworks, type EndExec, holdNetwork, type NetworkPlan, planNetworks, type PodNetworks, recordUserNetwork, unregistration, type UserNetwork } from '../network/index.ts'
import type { Pod, PreparedPod } from '../pod/index.ts'
import { launcherPath, runLauncher } from './launcher.ts'
import type { PodPlan, PodPlanInputs } from './ns/plan-pod.ts'
import { encodePlan } from './plan/encode.ts'
import { planToJson } from './plan/print.ts'
import { metadataUrl, metadataUrlFile } from './metadata-url.ts'
import { writePodFiles } from './pod-files.ts'
import { forwardedPorts, portOwner, userNetworkOf } from './pod-ports.ts'
import { readHostFacts, readRootFacts } from './read-facts.ts'
import { plannerOf, runtimeFor } from './planner.ts'
import { loadDefaultProfile } from './security-modules.ts'
import { keepInputs } from './kept.ts'
import type { PassedSocket } from './passed-sockets.ts'
import type { RuntimeOptions } from './runtime-options.ts'
import { appFilter } from './app-filter.ts'
import { warmCgroups } from './warm-cgroups.ts'

const unconnected: PodNetworks = { interfaces: [] }

/** Ids of a pod that shares those of the host. */
const hostIdCount = 2 ** 32 - 1

export interface StartOptions {
  /** In stage `run`, its lock held by this process. */
  readonly pod: Pod
  readonly prepared: PreparedPod
  readonly runtime: RuntimeOptions
  readonly dirs: { readonly data: string; readonly config: { readonly local: string } }
  /** Descriptor of the caller's state, from the front-end. */
  readonly callerFd?: number
  /** The caller's TERM. */
  readonly term?: string
  /** NOTIFY_SOCKET of the caller, and what was passed to it. */
  readonly notifySocket?: string
  readonly sockets?: readonly PassedSocket[]
  readonly signal: AbortSignal
  /** Called when nothing is left that this process would have to undo: signals are the launcher's from here on. */
  readonly beforeExec: () => void
  readonly log: Log
}

/**
 * Plans the pod and changes nothing: what `rkt run --dry-run` prints.
 *
 * @throws RktError as `startPod`.
 */
export async function planPod(given: StartOptions): Promise<{ readonly json: unknown }> {
  const options = { ...given, runtime: runtimeFor(given.prepared.isolation, given.runtime) }
  forwardedPorts(options.prepared, options.runtime)
  const user = userNetworkOf(options.prepared, options.runtime)
  const network = networksOf(options, 'own')
  const { plan } = await makePlan(options, await gatherFacts(options), { network, user, connected: user?.connected ?? unconnected })
  return { json: planToJson(plan) }
}

/**
 * Starts a prepared pod: this process becomes the pod's launcher and never returns.
 *
 * The plan with its `end` list is on disk before anything is made that outlives this process, so that collection can undo it.
 *
 * @throws RktError for everything that the host cannot give: `missing-volume`, `unsupported-host`, `network-setup`, `not-found`, `launcher`.
 */
export async function startPod(given: StartOptions): Promise<never> {
  const options = { ...given, runtime: runtimeFor(given.prepared.isolation, given.runtime) }
  const { pod, prepared, runtime, log } = options
  warmCgroups()
  const user = userNetworkOf(prepared, runtime)
  const planned = networksOf(options, 'own')
  // Meanwhile we go on: the ports are ours, or the start fails, before a plugin is called.
  const holding = holdNetwork({
    uuid: prepared.uuid,
    podDir: pod.dir,
    plan: planned,
    ports: user === undefined ? forwardedPorts(prepared, runtime) : [],
    ownerOf: (port) => portOwner(options.dirs.data, port),
    signal: options.signal,
  })
  holding.catch(() => undefined) // Told where it is awaited.
  const facts = await gatherFacts(options)
  let connected: PodNetworks = user?.connected ?? unconnected
  let made = await makePlan(options, facts, { network: planned, user, connected })
  for (const warning of made.warnings) log.warn(warning)
  if (made.usesDefaultProfile) loadDefaultProfile()
  writeFileSync(pod.inside('subcgroup'), made.subcgroup, { mode: 0o640 })
  keepInputs(pod, { runtime, cgroups: made.cgroups })
  if (user !== undefined) {
    recordUserNetwork(pod.dir, user)
  } else if (runtime.net.kind === 'networks') {
    writeDurably(pod.inside('plan'), encodePlan(made.plan))
    holdNamespaces(pod, prepared)
  }
  using hold = await holding
  const opened: Promise<void>[] = []
  const network = hold.hasRules ? planned : withEnd(networksOf(options, 'plugin'), hold.end)
  if (user === undefined && runtime.net.kind === 'networks') {
    if (network !== planned) writeDurably(pod.inside('plan'), encodePlan((await makePlan(options, facts, { network, user, connected })).plan))
    connected = await addNetworks(network, { podDir: pod.dir, lockFd: pod.fd, log, signal: options.signal })
    opened.push(hold.open(connected))
    made = await makePlan(options, facts, { network, user, connected })
  } else if (runtime.net.kind === 'none') {
    log.debug('networking', 'networking namespace with loopback only')
  }
  if (runtime.mdsRegister) {
    writeDurably(pod.inside('plan'), encodePlan(made.plan))
    const url = await metadataUrl(prepared, { runtime, connected, signal: options.signal })
    writeFileSync(pod.inside(metadataUrlFile), url, { mode: 0o600 })
    made = await makePlan(options, facts, { network, user, connected, metadataUrl: url })
  }
  await Promise.all(opened)
  writePodFiles(pod, { runtime, ...(connected.dns === undefined ? {} : { network: connected.dns }) })
  writePlanFiles(pod, made.files)
  // In one step: a plan that is torn by a crash would leave the networks of the first one without an end.
  writeFileSync(pod.inside('plan.new'), encodePlan(made.plan), { mode: 0o640 })
  renameSync(pod.inside('plan.new'), pod.inside('plan'))
  // What arrives from here on waits for the launcher; one turn of the event loop shows what has arrived before.
  binding().holdSignals()
  await new Promise<void>((resolve) => setImmediate(resolve))
  return execLauncher(options)
}

/** The pod directory is closed; what lies in it is read by programs that are not root, at places where the launcher mounts it. */
function writePlanFiles(pod: Pod, files: PodPlan['files']): void {
  for (const [path, content] of files ?? []) {
    mkdirSync(dirname(pod.inside(path)), { recursive: true })
    chmodSync(dirname(pod.inside(path)), 0o755)
    writeFileSync(pod.inside(path), content)
    chmodSync(pod.inside(path), 0o644)
  }
}

function execLauncher({ pod, callerFd, beforeExec, sockets = [] }: StartOptions): never {
  const planFd = openSync(pod.inside('plan'), 'r')
  const passed = sockets.map(({ fd }) => fd)
  const keep = [planFd, pod.fd, ...passed, ...(callerFd === undefined ? [] : [callerFd])]
  beforeExec()
  return binding().execLauncher(launcherPath(), ['launcher', 'run', ...[planFd, pod.fd, callerFd ?? -1, ...passed].map(String)], [], keep)
}

function networksOf({ runtime, prepared, pod, dirs, log }: StartOptions, masquerade: 'own' | 'plugin'): NetworkPlan {
  if (mappedIdCount() !== undefined) return { endNetns: '', adds: [], teardown: [] }
  return planNetworks({
    request: runtime.net,
    uuid: prepared.uuid,
    netnsPath: join(pod.dir, 'ns/net'),
    // Collection runs the end of a pod when its directory has moved on; the launcher fills the present one in.
    endNetns: '@pod@/ns/net',
    localConfig: dirs.config.local,
    masquerade,
    ports: forwardedPorts(prepared, runtime),
    log,
  })
}

/** Makes and pins the namespaces that the pod will join, so that plugins can work on its network before it exists. */
function holdNamespaces(pod: Pod, prepared: PreparedPod): void {
  const { shift, count } = prepared.idRange ?? { shift: 0, count: 0 }
  runLauncher({ argv: ['hold', '3', String(shift), String(count)], descriptors: [pod.fd], timeoutMs: 10_000 })
}

type Facts = Pick<PodPlanInputs, 'host' | 'roots' | 'filters'> & { readonly planPod: (inputs: PodPlanInputs) => PodPlan | Promise<PodPlan> }

/** What a plan takes from the host and the images; it stays as it is during a start. */
async function gatherFacts(options: StartOptions): Promise<Facts> {
  const { prepared, runtime, dirs } = options
  const idCount = prepared.idRange?.count ?? hostIdCount
  const filters = new Map<string, Uint8Array>()
  for (const { name, app } of prepared.apps) {
    if (runtime.insecure.seccomp) continue
    const filter = await appFilter(app.isolators, { dataDir: dirs.data })
    if (filter !== undefined) filters.set(name, filter)
  }
  return {
    planPod: await plannerOf(prepared, { dataDir: dirs.data }),
    host: readHostFacts(prepared, options),
    roots: new Map(prepared.apps.map((app) => [app.name, readRootFacts(app, { idCount })])),
    filters,
  }
}

/** Where the kernel has no rules that end by themselves. */
function withEnd(plan: NetworkPlan, end: readonly EndExec[]): NetworkPlan {
  return { ...plan, teardown: [...end, ...plan.teardown], always: end }
}

interface NetworkFacts {
  readonly network: NetworkPlan
  readonly user: UserNetwork | undefined
  readonly connected: PodNetworks
  readonly metadataUrl?: string
}

async function makePlan({ prepared, runtime, dirs }: StartOptions, { planPod: plan, ...facts }: Facts, net: NetworkFacts): Promise<PodPlan> {
  return await plan({
    ...facts,
    pod: prepared,
    runtime: net.metadataUrl === undefined ? runtime : { ...runtime, metadataUrl: net.metadataUrl },
    networkEnd: [...(runtime.mdsRegister ? [unregistration(prepared.uuid)] : []), ...(net.connected.teardown === undefined ? net.network.teardown : [...(net.network.always ?? []), ...net.connected.teardown])],
    networkDns: net.connected.dns !== undefined,
    ...(net.user === undefined ? {} : { networkHelper: net.user }),
    garbagePath: join(dirs.data, 'pods', 'garbage', prepared.uuid),
  })
}

/**
 * Undoes what a pod left outside its directory: networks, pins, groups. Safe to repeat, and for pods that never started.
 *
 * @throws RktError `launcher` naming the first step that failed; the rest has been tried.
 */
export async function teardownPod(podDir: string): Promise<void> {
  if (!existsSync(join(podDir, 'plan'))) return
  const planFd = openSync(join(podDir, 'plan'), 'r')
  const podFd = openSync(podDir, 'r')
  try {
    runLauncher({ argv: ['end', '3', '4'], descriptors: [planFd, podFd], timeoutMs: 120_000 })
  } finally {
    closeSync(planFd)
    closeSync(podFd)
  }
}
