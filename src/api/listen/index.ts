export { type ListenAddress, parseListenAddress } from './address.ts'
export { isMissingAddress, listen } from './listen.ts'
