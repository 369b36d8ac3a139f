export { enterPod, type EnterOptions } from './enter.ts'
export { type InsecureRun, type RuntimeOptions } from './runtime-options.ts'
export { planPod, startPod, type StartOptions, teardownPod } from './start.ts'
export { stopPod, type StopOptions } from './stop.ts'
