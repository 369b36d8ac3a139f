import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { openPodScene, shellWords } from '../support/pod-scene.ts'

const scene = await openPodScene()
test.after.always(() => scene[Symbol.dispose]())

const count = 6000

test('a log is kept in files of a bounded size, and followed through all of them without losing a line', async (t) => {
  // Each line waits for its follower a little: what is too old for all files is gone.
  const line = `sleep 1; i=0; while [ $i -lt ${count} ]; do echo line-$i; i=$((i+1)); if [ $((i % 600)) = 0 ]; then sleep 0.15; fi; done; sleep 1`
  const pod = await scene.start(['--log-size=64Ki', '--log-files=4', scene.image, ...shellWords(line)])
  const followed = scene.rkt(['logs', '--follow', pod.uuid])
  const { code } = await pod.end
  t.is(code, 0)
  const lines = (await followed).stdout.trimEnd().split('\n')
  t.is(lines.length, count)
  t.is(lines.at(-1), `line-${count - 1}`)
  const directory = join(scene.dir, 'pods/run', pod.uuid, 'logs')
  t.deepEqual(readdirSync(directory).sort(), ['busybox', 'busybox.1', 'busybox.2', 'busybox.3'])
  for (const name of readdirSync(directory)) t.true(readFileSync(join(directory, name)).byteLength <= 64 * 1024)

  const whole = (await scene.rkt(['logs', pod.uuid])).stdout.trimEnd().split('\n')
  t.true(whole.length < count)
  t.deepEqual(whole, lines.slice(-whole.length))
  t.deepEqual((await scene.rkt(['logs', '--lines=3', pod.uuid])).stdout, [3, 2, 1].map((back) => `line-${count - back}\n`).join(''))
  const stamped = (await scene.rkt(['logs', '--timestamps', '--lines=100', pod.uuid])).stdout.trimEnd().split('\n')
  const middle = stamped[50]?.split(' ')[0] ?? ''
  const ms = new Date(Date.parse(middle)).toISOString()
  const before = (await scene.rkt(['logs', `--until=${ms}`, pod.uuid])).stdout.trimEnd().split('\n')
  const after = (await scene.rkt(['logs', `--since=${ms}`, pod.uuid])).stdout.trimEnd().split('\n')
  t.deepEqual([...before, ...after], whole)
})

test('the flags of logs say what is wrong with them', async (t) => {
  for (const [flag, words] of [['--log-size=12', 'at least 64Ki'], ['--log-size=x', 'at least 64Ki'], ['--log-files=0', '1 to 100']] as const) {
    const { code, stderr } = await scene.rkt(['run', '--net=none', flag, scene.image])
    t.is(code, 254)
    t.true(stderr.includes(words), stderr)
  }
})

interface ManifestOptions {
  readonly directory: string
  readonly file: string
}

function manifest({ directory, file }: ManifestOptions): string {
  const path = scene.place.in(`manifest-${Math.random()}.json`)
  const prefix = 'coreos.com/rkt/experiment'
  writeFileSync(path, JSON.stringify({
    acVersion: '0.8.11',
    acKind: 'PodManifest',
    apps: [{
      name: 'busybox',
      image: { id: scene.image },
      app: { exec: ['/bin/sh', '-c', 'echo out; echo err >&2; printf end'], user: '0', group: '0' },
      annotations: [{ name: `${prefix}/kubernetes-log-path`, value: file }],
    }],
    annotations: [{ name: `${prefix}/logmode`, value: 'k8s-plain' }, { name: `${prefix}/kubernetes-log-dir`, value: directory }],
  }))
  return path
}

test('annotations of the pod manifest put a log where Kubernetes looks for it', async (t) => {
  const directory = scene.place.in('kubernetes')
  mkdirSync(join(directory, 'app'), { recursive: true })
  const file = scene.place.in('uuid-kubernetes')
  const { code, stderr } = await scene.rkt(['run', '--net=none', `--uuid-file-save=${file}`, `--pod-manifest=${manifest({ directory, file: 'app/0.log' })}`])
  t.is(code, 0, stderr)
  const written = readFileSync(join(directory, 'app/0.log'), 'utf8').trimEnd().split('\n')
  for (const one of written) t.regex(one, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z (stdout|stderr) /)
  // The two streams are two pipes: their order is not fixed.
  t.deepEqual(written.map((one) => one.replace(/^\S+ /, '')).sort(), ['stderr err', 'stdout end', 'stdout out'])
  const { stdout, stderr: errors } = await scene.rkt(['logs', readFileSync(file, 'utf8')])
  t.is(stdout, 'out\nend\n')
  t.is(errors, 'err\n')
})

test('C11 a log stays below the directory that the operator named, and replaces nothing there', async (t) => {
  const directory = scene.place.in('guarded')
  const victim = scene.place.in('victim')
  mkdirSync(directory)
  mkdirSync(victim)
  writeFileSync(join(victim, 'hello'), 'hello')
  symlinkSync(victim, join(directory, 'link'))
  symlinkSync(join(victim, 'hello'), join(directory, 'file'))
  for (const file of ['../victim/hello', '/etc/passwd', 'link/hello', 'file', '.', 'a/../../victim/hello']) {
    const { code } = await scene.rkt(['run', '--rm', '--net=none', `--pod-manifest=${manifest({ directory, file })}`])
    t.is(code, 254, file)
  }
  t.is((await scene.rkt(['run', '--rm', '--net=none', `--pod-manifest=${manifest({ directory: 'relative', file: 'x' })}`])).code, 254)
  t.is(readFileSync(join(victim, 'hello'), 'utf8'), 'hello')
  t.deepEqual(readdirSync(victim), ['hello'])
})

test('C11 what an image says of logs and streams is inert', async (t) => {
  const directory = scene.place.in('inert')
  mkdirSync(directory)
  const prefix = 'coreos.com/rkt'
  using other = await openPodScene({
    manifest: {
      name: 'example.com/inert',
      annotations: [
        { name: `${prefix}/experiment/logmode`, value: 'k8s-plain' },
        { name: `${prefix}/experiment/kubernetes-log-dir`, value: directory },
        { name: `${prefix}/experiment/kubernetes-log-path`, value: 'app.log' },
        { name: `${prefix}/stage2/stdin`, value: 'tty' },
        { name: `${prefix}/stage2/stdout`, value: 'null' },
      ],
    },
  })
  const { stdout, code } = await other.shell('readlink /proc/self/fd/0; echo out')
  t.is(code, 0)
  t.is(stdout, '/dev/null\nout\n')
  t.deepEqual(readdirSync(directory), [])
  t.false(existsSync(join(directory, 'app.log')))
})

test('--stdout=null drops output, and no log is kept', async (t) => {
  const pod = await scene.start([scene.image, '--stdout=null', '--stderr=null', ...shellWords('echo out; echo err >&2; sleep 0.3')])
  const { code, stdout } = await pod.end
  t.is(code, 0)
  t.is(stdout, '')
  t.deepEqual(readdirSync(join(scene.dir, 'pods/run', pod.uuid, 'logs')), [])
})
