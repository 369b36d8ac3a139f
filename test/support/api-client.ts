import { Client, credentials, type ServiceError } from '@grpc/grpc-js'
import { loadSync, type MethodDefinition } from '@grpc/proto-loader'

/** A message, as its fields in specs/api.proto are called; enumerations by name, 64-bit numbers as text. */
export type Message = Readonly<Record<string, unknown>>

const definition = loadSync('specs/api.proto', { keepCase: true, longs: String, enums: String, defaults: true })

function methodOf(name: string): MethodDefinition<object, object> {
  const service: Readonly<Record<string, unknown>> = { ...definition['v1alpha.PublicAPI'] }
  const method = service[name]
  if (!isMethod(method)) throw new Error(`specs/api.proto has no method ${name}`)
  return method
}

function isMethod(value: unknown): value is MethodDefinition<object, object> {
  return typeof value === 'object' && value !== null && 'requestSerialize' in value
}

/** A call that goes on: what came so far, and how it ended. */
export interface ApiStream {
  readonly messages: Message[]
  /** Resolves when `found` holds; false after the time limit or the end. */
  until(found: (messages: readonly Message[]) => boolean, timeoutMs?: number): Promise<boolean>
  /** Code of the end: 0 for a good one. */
  readonly end: Promise<number>
  cancel(): void
}

/** A client of the API service that knows of it only what specs/api.proto says. */
export interface ApiClient extends Disposable {
  /** The response; rejects with an error whose `code` is that of gRPC. */
  call(name: string, request?: object, options?: { readonly deadlineMs?: number }): Promise<Message>
  stream(name: string, request?: object): ApiStream
}

/** `target` as gRPC writes it: `127.0.0.1:1`, `unix:/PATH`. */
export function openApiClient(target: string): ApiClient {
  const client = new Client(target, credentials.createInsecure(), { 'grpc.max_receive_message_length': -1 })
  return {
    call: async (name, request = {}, { deadlineMs = 20_000 } = {}) => {
      const { path, requestSerialize, responseDeserialize } = methodOf(name)
      return await new Promise((resolve, reject) => {
        client.makeUnaryRequest<object, object>(path, requestSerialize, responseDeserialize, request, { deadline: Date.now() + deadlineMs }, (error, response) =>
          error === null ? resolve({ ...response }) : reject(error),
        )
      })
    },
    stream(name, request = {}) {
      const { path, requestSerialize, responseDeserialize } = methodOf(name)
      const call = client.makeServerStreamRequest<object, object>(path, requestSerialize, responseDeserialize, request)
      const messages: Message[] = []
      const end = new Promise<number>((resolve) => {
        call.on('error', (error: ServiceError) => resolve(error.code))
        call.on('end', () => setImmediate(() => resolve(0)))
      })
      call.on('data', (message: object) => messages.push({ ...message }))
      return {
        messages,
        end,
        cancel: () => call.cancel(),
        until: async (found, timeoutMs = 20_000) => await untilFound(call, { found: () => found(messages), end, timeoutMs }),
      }
    },
    [Symbol.dispose]: () => client.close(),
  }
}

interface Wait {
  readonly found: () => boolean
  readonly end: Promise<number>
  readonly timeoutMs: number
}

async function untilFound(call: NodeJS.EventEmitter, { found, end, timeoutMs }: Wait): Promise<boolean> {
  return await new Promise((resolve) => {
    const look = (): void => {
      if (found()) finish()
    }
    const finish = (): void => {
      clearTimeout(timer)
      call.removeListener('data', look)
      resolve(found())
    }
    const timer = setTimeout(finish, timeoutMs)
    call.on('data', look)
    void end.then(finish)
    look()
  })
}
