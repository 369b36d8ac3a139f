import { accessSync } from 'node:fs'
import { join } from 'node:path'
import { isErrno } from '../base/index.ts'
import { treePath, type Layout } from './layout.ts'
import type { TreeID } from './tree-id.ts'

/** Whether the tree is there and was whole when its marker was written. */
export function isRendered(layout: Layout, id: TreeID): boolean {
  try {
    accessSync(join(treePath(layout, id), 'rendered'))
    return true
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR', 'EACCES')) return false
    throw error
  }
}
