// Bundles src/cli/main.ts into DIR: rkt.mjs, and one chunk per lazily loaded module. A command that runs meanwhile finds the old
// bundle or the new one: chunks first, then the entry, then what nothing needs any more goes.
import { readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { build } from 'esbuild'

const directory = process.argv[2]

// Stands before the code of every chunk, since what is imported runs before what imports it.
const checkNode = `{const[a,b]=process.versions.node.split('.').map(Number);if(a<20||a===20&&b<19){\
process.stderr.write('rkt: cannot start with Node.js '+process.versions.node+'; expected 20.19 or newer\\n');process.exit(254)}}`
// Bundled CommonJS packages still call require() for Node's own modules.
const makeRequire = "import{createRequire as rktRequire}from'node:module';const require=rktRequire(import.meta.url);"

const { outputFiles } = await build({
  entryPoints: { rkt: 'src/cli/main.ts' },
  outdir: directory,
  outExtension: { '.js': '.mjs' },
  chunkNames: 'chunk-[hash]',
  write: false,
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: 'none',
  banner: { js: makeRequire + checkNode },
})
const entryLast = outputFiles.toSorted((a, b) => Number(basename(a.path) === 'rkt.mjs') - Number(basename(b.path) === 'rkt.mjs'))
for (const { path, contents } of entryLast) {
  writeFileSync(`${path}.new`, contents)
  renameSync(`${path}.new`, path)
}
const made = new Set(outputFiles.map(({ path }) => basename(path)))
for (const name of readdirSync(directory)) if (name.endsWith('.mjs') && !made.has(name)) rmSync(join(directory, name))
