export { openDockerArchive } from './docker-archive.ts'
export { openLayout, openLayoutArchive } from './layout.ts'
export { openLayoutTarget } from './layout-target.ts'
