// Bundles src/cli/main.ts into DIR, for a start that is as fast as Node allows:
//   rkt.cjs             what the front-end runs (tools/loader.cjs)
//   main-HASH.js        every module of ours, as one function that takes require() and the address of the bundle
//   main-HASH.cache     its compiled code (tools/code-cache.cjs); V8 itself refuses one that another release made
//   openpgp.cjs, sigstore.cjs …   large packages that few commands load
// The hash joins the three: a command that runs meanwhile finds the old ones or the new ones.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'

const directory = process.argv[2]
const apart = ['htmlparser2', 'openpgp', 'tar', 'yargs']
// These three share most of their code, and are always used together.
const sigstore = ['@sigstore/bundle', '@sigstore/protobuf-specs', '@sigstore/verify']

const common = {
  write: false,
  bundle: true,
  format: 'cjs',
  platform: 'node',
  target: 'node20',
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: 'none',
  // The file is read as Latin-1, which is quicker.
  charset: 'ascii',
  // A script outside a module has no import(); require() of a bundle does the same, as late.
  supported: { 'dynamic-import': false },
  define: { 'import.meta.url': 'rktUrl' },
}

const usePackagesApart = {
  name: 'apart',
  setup({ onResolve }) {
    onResolve({ filter: new RegExp(`^(${apart.join('|')})$`) }, ({ path }) => ({ path: `./${path}.cjs`, external: true }))
    onResolve({ filter: new RegExp(`^(${sigstore.join('|')})$`) }, () => ({ path: './sigstore.cjs', external: true }))
  },
}

function replaceFile(name, content) {
  writeFileSync(join(directory, `${name}.new`), content)
  renameSync(join(directory, `${name}.new`), join(directory, name))
}

async function bundle(options) {
  const { outputFiles } = await build({ ...common, ...options })
  return outputFiles[0].text
}

// Where a package's default export is a function, that is what `require` gives: then an import of it finds it.
const nodeDefault = "if(typeof module.exports.default==='function')module.exports=module.exports.default"
const ownUrl = "const rktUrl=require('node:url').pathToFileURL(__filename).href;"
for (const name of apart) replaceFile(`${name}.cjs`, await bundle({ entryPoints: [name], banner: { js: ownUrl }, footer: { js: nodeDefault } }))
replaceFile('sigstore.cjs', await bundle({ stdin: { contents: sigstore.map((name) => `export * from '${name}'`).join('\n'), resolveDir: '.' }, banner: { js: ownUrl } }))

const main = await bundle({
  // What the compiler made, not its source: esbuild's own form of `using` carries the failure of one turn of a loop into the next.
  entryPoints: ['build/js/src/cli/main.js'],
  plugins: [usePackagesApart],
  banner: { js: '(function(require,rktUrl){const module={exports:{}},exports=module.exports;' },
  footer: { js: '})' },
})
const hash = createHash('sha256').update(main).digest('hex').slice(0, 16)
replaceFile(`main-${hash}.js`, main)
execFileSync(process.execPath, ['tools/code-cache.cjs', join(directory, `main-${hash}.js`), join(directory, `main-${hash}.cache`)])
replaceFile('rkt.cjs', readFileSync('tools/loader.cjs', 'utf8').replaceAll('@HASH@', hash))
for (const name of readdirSync(directory)) if (/^main-/.test(name) && !name.startsWith(`main-${hash}.`)) rmSync(join(directory, name))
