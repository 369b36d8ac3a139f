// code-cache.cjs SCRIPT CACHE: compiles every function of SCRIPT, also those that V8 would leave for later, and keeps the code.
const { readFileSync, writeFileSync } = require('node:fs')
const { resolve } = require('node:path')
const { setFlagsFromString } = require('node:v8')
const { Script } = require('node:vm')

const [, , script, cache] = process.argv
const source = readFileSync(script, 'latin1')
const filename = resolve(script)

setFlagsFromString('--no-lazy')
const compiled = new Script(source, { filename })
setFlagsFromString('--lazy') // the flags are part of the cache: they must be those of a plain start
const cachedData = compiled.createCachedData()
if (new Script(source, { filename, cachedData }).cachedDataRejected) throw new Error(`V8 of Node.js ${process.version} refuses its own code cache`)
writeFileSync(cache, cachedData)
