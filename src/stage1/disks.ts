import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * The disks of this host as `MAJOR:MINOR`, those without a medium left out; partitions are limited with their disk. SPEC: appc's block
 * limits hold for every device.
 */
export function readDisks(directory = '/sys/block'): string[] {
  return readdirSync(directory)
    .filter((name) => read(directory, name, 'size') !== '0')
    .map((name) => read(directory, name, 'dev'))
}

function read(directory: string, name: string, file: string): string {
  return readFileSync(join(directory, name, file), 'utf8').trim()
}
