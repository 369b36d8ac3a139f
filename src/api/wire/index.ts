export { numbersOf, readMessage, toBytes, toNumber, toText } from './reader.ts'
export { MessageWriter } from './writer.ts'
