export { type ListenAddress, parseListenAddress } from './listen/index.ts'
export { serveApi, type ServeApiOptions } from './serve-api.ts'
