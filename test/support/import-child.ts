import { openStore, acquireImage } from '../../src/store/index.ts'
import { silentLog } from '../../src/base/index.ts'
import { openKeystore } from '../../src/trust/index.ts'

/** A process that imports images until it is killed: `DATA CONFIG IMAGE…`; says `ready`, then image ID and milliseconds, a line each. */
const [dataDir = '', config = '', ...images] = process.argv.slice(2)
const store = openStore(dataDir, { create: true })
const keystore = openKeystore({ system: `${config}/system`, local: `${config}/local` })
console.log('ready')
for (const image of images) {
  const start = performance.now()
  const record = await acquireImage(image, {
    store,
    keystore,
    cwd: '/',
    pullPolicy: 'new',
    insecure: { image: false, tls: false, http: false },
    now: new Date(),
    signal: new AbortController().signal,
    log: silentLog,
  })
  console.log(record.id, performance.now() - start)
}
