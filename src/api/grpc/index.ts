export type { CallContext, Method } from './call.ts'
export { type GrpcService, makeGrpcService } from './server.ts'
