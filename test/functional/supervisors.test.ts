import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, existsSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import test from 'ava'
import { probe, rktProgram } from '../support/paths.ts'
import { openPodScene, shellWords, until } from '../support/pod-scene.ts'
import { placeFlags, rkt, type RunResult } from '../support/run.ts'

const scene = await openPodScene({
  files: { '/bin/notify': { copy: probe('notify') }, '/bin/serve': { copy: probe('serve') } },
  manifest: {
    name: 'example.com/service',
    annotations: [{ name: 'appc.io/executor/supports-systemd-notify', value: 'true' }],
    app: {
      ports: [
        { name: 'web', protocol: 'tcp', port: 80, socketActivated: true },
        { name: 'admin', protocol: 'tcp', port: 81, socketActivated: true },
      ],
    },
  },
})
test.after.always(() => scene[Symbol.dispose]())

const supervisor = 'test/functional/supervisor-probe.py'

/** `rkt run` as the service of a supervisor that has opened `sockets`. */
async function serve(ports: readonly number[], words: readonly string[]): Promise<RunResult> {
  const command = [rktProgram, ...placeFlags(scene.dir), '--insecure-options=image', 'run', '--rm', ...words]
  return await rkt([supervisor, ports.join(',') || '-', ...command], { program: '/usr/bin/python3' })
}

test('READY, states and the end of an app reach the supervisor, from the process that it has started', async (t) => {
  const states = ['STATUS=warming up', 'sleep:200', 'READY=1\nSTATUS=serving\nMAINPID=2', 'WATCHDOG=1', 'FDSTORE=1', 'EVIL=1', 'RELOADING=1', 'READY=1', 'sleep:200']
  const { stdout, stderr, code } = await serve([], ['--net=none', scene.image, '--exec=/bin/notify', '--', ...states])
  t.is(code, 0, stderr)
  t.deepEqual(stdout.split('\n').filter((line) => line.startsWith('main') || line.startsWith('other')), [
    'main STATUS=warming up | MAINPID=main',
    'main STATUS=serving | MAINPID=main',
    'main READY=1 | MAINPID=main',
    'main WATCHDOG=1 | MAINPID=main',
    'main RELOADING=1 | MAINPID=main',
    'main READY=1 | MAINPID=main',
  ])
})

test('a pod whose apps tell nothing is ready when they run', async (t) => {
  using plain = await openPodScene()
  const command = [rktProgram, ...placeFlags(plain.dir), '--insecure-options=image', 'run', '--rm', '--net=none', plain.image, ...shellWords('echo "${NOTIFY_SOCKET-none}"; sleep 0.3')]
  const { stdout, code } = await rkt([supervisor, '-', ...command], { program: '/usr/bin/python3' })
  t.is(code, 0)
  t.deepEqual(stdout.trimEnd().split('\n').sort(), ['main READY=1 | MAINPID=main', 'none'])
})

test('status --wait-ready waits for an app that tells when it is ready, with or without a supervisor', async (t) => {
  const pod = await scene.start([scene.image, ...shellWords('sleep 1.5; notify READY=1; sleep 20')])
  t.is((await scene.rkt(['status', '--wait-ready=300ms', pod.uuid])).code, 254)
  const started = Date.now()
  t.is((await scene.rkt(['status', '--wait-ready=20s', pod.uuid])).code, 0)
  t.true(Date.now() - started > 300)
  t.is((await scene.rkt(['stop', '--force', pod.uuid])).code, 0)
  await pod.end
})

test('E2 the state of an app is heard from its pod only', async (t) => {
  const uuidFile = scene.place.in('uuid-host')
  const out = scene.place.in('out-host')
  const fd = openSync(out, 'w')
  const words = [...placeFlags(scene.dir), '--insecure-options=image', 'run', '--net=host', `--uuid-file-save=${uuidFile}`, scene.image, ...shellWords('echo $NOTIFY_SOCKET; sleep 20')]
  const child = spawn(rktProgram, words, { stdio: ['ignore', fd, 'ignore'], env: { PATH: process.env['PATH'] } })
  closeSync(fd)
  const exit = once(child, 'exit')
  await until('the address', () => readFileSync(out, 'utf8').endsWith('\n'))
  const [address, uuid] = [readFileSync(out, 'utf8').trim(), readFileSync(uuidFile, 'utf8')]
  t.true(address.startsWith('@rkt/'))
  execFileSync(probe('notify'), ['READY=1'], { env: { NOTIFY_SOCKET: address } })
  t.is((await scene.rkt(['status', '--wait-ready=500ms', uuid])).code, 254)
  t.is((await scene.rkt(['enter', uuid, '/bin/sh', '-c', `NOTIFY_SOCKET=${address} notify READY=1`])).code, 0)
  t.is((await scene.rkt(['status', '--wait-ready=10s', uuid])).code, 0)
  t.is((await scene.rkt(['stop', '--force', uuid])).code, 0)
  await exit
})

/** Ports of this machine that are free now. */
async function freePorts(count: number): Promise<readonly number[]> {
  const servers = Array.from({ length: count }, () => createServer())
  for (const server of servers) await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const ports = servers.map((server) => {
    const address = server.address()
    return typeof address === 'object' && address !== null ? address.port : 0
  })
  for (const server of servers) await new Promise((resolve) => server.close(resolve))
  return ports
}

test('sockets of the supervisor reach the app that has their ports, and nothing else does', async (t) => {
  const [first = 0, second = 0, third = 0] = await freePorts(3)
  const manifest = scene.place.in('sockets.json')
  writeFileSync(manifest, JSON.stringify({
    acVersion: '0.8.11',
    acKind: 'PodManifest',
    apps: [{
      name: 'service',
      image: { id: scene.image },
      app: {
        exec: ['/bin/serve'],
        user: '0',
        group: '0',
        ports: [{ name: 'web', protocol: 'tcp', port: 80, socketActivated: true }, { name: 'admin', protocol: 'tcp', port: 81, socketActivated: true }],
        eventHandlers: [{ name: 'pre-start', exec: ['/bin/sh', '-c', 'echo handler $(ls /proc/self/fd) ${LISTEN_FDS-none}'] }],
      },
    }],
    ports: [{ name: 'web', hostPort: third }, { name: 'admin', hostPort: first }],
  }))
  const { stdout, stderr, code } = await serve([first, second, third], ['--net=none', `--pod-manifest=${manifest}`])
  t.is(code, 0, stderr)
  const lines = stdout.split('\n')
  t.true(lines.includes('2 ours name2:name0'), stdout)
  t.true(lines.includes('answer 2 socket 3'), stdout)
  t.true(lines.includes('answer 0 socket 4'), stdout)
  t.true(lines.includes('handler 0 1 2 3 none'), stdout)
})

test('a signal of the supervisor ends the pod, and is told', async (t) => {
  const command = [supervisor, '-', rktProgram, ...placeFlags(scene.dir), '--insecure-options=image', 'run', '--rm', '--net=none', scene.image, ...shellWords('trap "exit 0" TERM; notify READY=1; while :; do sleep 0.1; done')]
  const child = spawn('/usr/bin/python3', command, { stdio: ['ignore', 'pipe', 'ignore'], env: { PATH: process.env['PATH'] } })
  let heard = ''
  child.stdout.on('data', (data: Buffer) => {
    heard += data.toString()
  })
  await until('READY', () => heard.includes('READY=1'))
  await sleep(100)
  const main = readFileSync(`/proc/${child.pid ?? 0}/task/${child.pid ?? 0}/children`, 'utf8').trim().split(' ')[0]
  process.kill(Number(main), 'SIGTERM')
  const [code]: unknown[] = await once(child, 'exit')
  t.is(code, 0)
  t.true(heard.includes('STOPPING=1'), heard)
  t.false(existsSync(`/proc/${main ?? ''}`))
})
