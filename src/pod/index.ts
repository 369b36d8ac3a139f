export { type Stage } from './layout.ts'
export { type Pod } from './pod.ts'
export { openPods, type OpenPodsOptions, type Pods } from './pods.ts'
export { type PodState } from './state.ts'
