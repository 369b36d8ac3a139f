import type { EventLog } from '../events/index.ts'
import type { Method } from '../grpc/index.ts'
import { type InfoMessage, readGetLogs, readInspect, readListenEvents, readListImages, readListPods, writeImage, writeInfo, writeList, writePod } from '../messages/index.ts'
import { MessageWriter, readMessage } from '../wire/index.ts'
import type { Images } from './images.ts'
import { getLogs } from './logs.ts'
import { inspectPod, listPods, type PodSource } from './pods.ts'

export interface Sources {
  readonly info: InfoMessage
  readonly pods: PodSource
  readonly images: Images
  readonly events: EventLog
}

/** Every method of `v1alpha.PublicAPI`, by its path. */
export function methodsOf({ info, pods, images, events }: Sources): ReadonlyMap<string, Method> {
  const methods: Readonly<Record<string, Method>> = {
    GetInfo: {
      kind: 'unary',
      answer: async (request) => {
        readMessage(request, () => undefined)
        return new MessageWriter().message(1, writeInfo(info)).finish()
      },
    },
    ListPods: { kind: 'unary', answer: async (request, { signal }) => writeList((await listPods(pods, readListPods(request), signal)).map(writePod)) },
    InspectPod: { kind: 'unary', answer: async (request) => new MessageWriter().message(1, writePod(inspectPod(pods, readInspect(request)))).finish() },
    ListImages: { kind: 'unary', answer: async (request, { signal }) => writeList((await images.list(readListImages(request), signal)).map(writeImage)) },
    InspectImage: { kind: 'unary', answer: async (request, { signal }) => new MessageWriter().message(1, writeImage(await images.inspect(readInspect(request), signal))).finish() },
    ListenEvents: { kind: 'stream', answer: (request, { signal }) => events.listen(readListenEvents(request), signal) },
    GetLogs: { kind: 'stream', answer: (request, { signal }) => getLogs(pods.dataDir, readGetLogs(request), signal) },
  }
  return new Map(Object.entries(methods).map(([name, method]) => [`/v1alpha.PublicAPI/${name}`, method]))
}
