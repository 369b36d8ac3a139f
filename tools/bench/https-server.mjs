// Serves the files of one directory over https on a free port of localhost, which it prints. Arguments: DIRECTORY KEY CERTIFICATE.
import { createReadStream, readFileSync, statSync } from 'node:fs'
import { createServer } from 'node:https'
import { basename, join } from 'node:path'

const [directory, key, certificate] = process.argv.slice(2)
const server = createServer({ key: readFileSync(key), cert: readFileSync(certificate) }, (request, response) => {
  const file = join(directory, basename(request.url))
  response.writeHead(200, { 'Content-Length': statSync(file).size })
  createReadStream(file, { highWaterMark: 1 << 20 }).pipe(response)
})
server.listen(0, 'localhost', () => console.log(server.address().port))
