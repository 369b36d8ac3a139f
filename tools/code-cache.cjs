// code-cache.cjs SCRIPT CACHE: keeps the compiled code of SCRIPT beside it. What is kept is what a start of a pod uses, as far as this user
// can plan one: less code is read faster, and the rest is compiled when it is used. Else every function is kept.
const { execFileSync, spawnSync } = require('node:child_process')
const { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } = require('node:fs')
const { tmpdir } = require('node:os')
const { dirname, join, resolve } = require('node:path')
const { pathToFileURL } = require('node:url')
const { setFlagsFromString } = require('node:v8')
const { Script } = require('node:vm')

const [, , script, cache, ...command] = process.argv
const source = readFileSync(script, 'latin1')
const filename = resolve(script)

/** Runs a command of SCRIPT in this process, and keeps the code that it has used. */
function keepUsed() {
  process.argv = [process.argv[0], 'rkt', ...command]
  const compiled = new Script(source, { filename })
  process.on('exit', (code) => {
    if (code === 0) writeFileSync(cache, compiled.createCachedData())
  })
  compiled.runInThisContext()(require, pathToFileURL(join(dirname(filename), 'rkt.cjs')).href)
}

function keepAll() {
  setFlagsFromString('--no-lazy')
  const compiled = new Script(source, { filename })
  setFlagsFromString('--lazy') // the flags are part of the cache: they must be those of a plain start
  writeFileSync(cache, compiled.createCachedData())
}

/** Plans a pod of a small image in a directory of its own; undefined when that cannot be done here. */
function plan() {
  const place = mkdtempSync(join(tmpdir(), 'rkt-code-cache-'))
  try {
    mkdirSync(join(place, 'rootfs'))
    copyFileSync(join(dirname(filename), 'launcher'), join(place, 'rootfs/app'))
    const labels = [{ name: 'os', value: 'linux' }, { name: 'arch', value: process.arch === 'arm64' ? 'aarch64' : 'amd64' }]
    const app = { exec: ['/app', 'app', '0'], user: '0', group: '0' }
    writeFileSync(join(place, 'manifest'), JSON.stringify({ acKind: 'ImageManifest', acVersion: '0.8.11', name: 'rkt.example/smallest', labels, app }))
    execFileSync('tar', ['--create', `--file=${join(place, 'image.aci')}`, `--directory=${place}`, 'manifest', 'rootfs'])
    const flags = ['--dir=' + join(place, 'data'), ...['system', 'local', 'user'].map((kind) => `--${kind}-config=${join(place, kind)}`), '--insecure-options=image']
    const train = (target, ...words) => spawnSync(process.execPath, [__filename, filename, target, ...flags, ...words], { stdio: 'ignore', env: { PATH: process.env.PATH } })
    train(join(place, 'first'), 'fetch', join(place, 'image.aci'))
    train(join(place, 'second'), 'run', '--dry-run', '--net=none', '--pull-policy=never', 'rkt.example/smallest')
    return existsSync(join(place, 'second')) ? readFileSync(join(place, 'second')) : undefined
  } catch {
    // Without tar, or without the rights: everything is kept.
    return undefined
  } finally {
    rmSync(place, { recursive: true, force: true })
  }
}

if (command.length > 0) {
  keepUsed()
} else {
  const used = process.geteuid() === 0 && existsSync(join(dirname(filename), 'launcher')) ? plan() : undefined
  if (used === undefined) keepAll()
  else writeFileSync(cache, used)
  if (new Script(source, { filename, cachedData: readFileSync(cache) }).cachedDataRejected) throw new Error(`V8 of Node.js ${process.version} refuses its own code cache`)
}
