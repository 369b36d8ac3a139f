'use strict'
// What the front-end runs, with the hash of the bundle put in: compiles the bundle from V8's code cache where that fits this Node (else
// from its source, only slower), and lets Node load its own modules when something of theirs is first used.
const [major, minor] = process.versions.node.split('.').map(Number)
if (major < 20 || (major === 20 && minor < 19)) {
  process.stderr.write(`rkt: cannot start with Node.js ${process.versions.node}; expected 20.19 or newer\n`)
  process.exit(254)
}
const { readFileSync } = require('node:fs')
const { pathToFileURL } = require('node:url')
const { Script } = require('node:vm')

const filename = `${__dirname}/main-@HASH@.js`

// Loaded by Node itself in any case.
const present = new Set(['node:buffer', 'node:events', 'node:fs', 'node:module', 'node:path', 'node:process', 'node:url', 'node:util', 'node:vm'])

/** A module of Node that costs nothing until one of its members is asked for. */
function requireLate(name) {
  if (!name.startsWith('node:') || present.has(name)) return require(name)
  return new Proxy({}, {
    get: (_target, key) => require(name)[key],
    has: (_target, key) => key in require(name),
    ownKeys: () => Reflect.ownKeys(require(name)),
    getOwnPropertyDescriptor: (_target, key) => {
      const found = Object.getOwnPropertyDescriptor(require(name), key)
      return found && { ...found, configurable: true }
    },
  })
}

function codeCache() {
  try {
    return readFileSync(`${__dirname}/main-@HASH@.cache`)
  } catch (error) {
    if (error.code !== 'ENOENT') throw error
    return undefined
  }
}

new Script(readFileSync(filename, 'latin1'), { filename, cachedData: codeCache() }).runInThisContext()(requireLate, pathToFileURL(__filename).href)
