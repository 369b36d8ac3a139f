'use strict'
// The entry of the installed program: runs the bundled chunks beside it. Each is compiled from V8's code cache where that fits this Node
// (else from its source, only slower), and Node's own modules are loaded when something of theirs is first used.
const [major, minor] = process.versions.node.split('.').map(Number)
if (major < 20 || (major === 20 && minor < 19)) {
  process.stderr.write(`rkt: cannot start with Node.js ${process.versions.node}; expected 20.19 or newer\n`)
  process.exit(254)
}
const { readFileSync } = require('node:fs')
const { join } = require('node:path')
const { pathToFileURL } = require('node:url')
const { Script } = require('node:vm')

const chunks = new Map()
const builtins = new Map()

// Loaded by Node itself in any case.
const eager = new Set(['node:fs', 'node:path', 'node:url', 'node:buffer', 'node:events', 'node:module', 'node:process', 'node:util'])

/** A module of Node that costs nothing until one of its members is read. */
function builtin(name) {
  if (eager.has(name)) return require(name)
  let known = builtins.get(name)
  if (known === undefined) {
    known = new Proxy({}, {
      get: (_target, key) => require(name)[key],
      has: (_target, key) => key in require(name),
      ownKeys: () => Reflect.ownKeys(require(name)),
      getOwnPropertyDescriptor: (_target, key) => {
        const found = Object.getOwnPropertyDescriptor(require(name), key)
        return found && { ...found, configurable: true }
      },
    })
    builtins.set(name, known)
  }
  return known
}

function cacheOf(path) {
  try {
    return readFileSync(`${path}.cache`)
  } catch (error) {
    if (error.code !== 'ENOENT') throw error
    return undefined
  }
}

/** Compiles one chunk; its source is a function expression in ASCII. */
function compile(name) {
  const path = join(__dirname, name)
  return new Script(readFileSync(path, 'latin1'), { filename: path, cachedData: cacheOf(path) })
}

function load(name) {
  if (!name.startsWith('./')) return name.startsWith('node:') ? builtin(name) : require(name)
  let module = chunks.get(name)
  if (module === undefined) {
    module = { exports: {} }
    chunks.set(name, module)
    compile(name).runInThisContext()(load, module.exports, module, pathToFileURL(join(__dirname, name)).href)
  }
  return module.exports
}

if (require.main === module) load('./main.js')
else module.exports = { compile }
