// Bundles src/cli/main.ts into DIR: rkt.mjs, and one chunk per lazily loaded module.
import { rmSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'

const directory = process.argv[2]
for (const name of readdirSync(directory)) if (name.endsWith('.mjs')) rmSync(join(directory, name))
await build({
  entryPoints: { rkt: 'src/cli/main.ts' },
  outdir: directory,
  outExtension: { '.js': '.mjs' },
  chunkNames: 'chunk-[hash]',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: 'none',
  // Bundled CommonJS packages still call require() for Node's own modules.
  banner: { js: "import{createRequire as rktRequire}from'node:module';const require=rktRequire(import.meta.url);" },
})
