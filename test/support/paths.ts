import { fileURLToPath } from 'node:url'

/** The checkout that the tests run in; compiled tests lie in `build/js/test`. */
export const projectRoot: string = fileURLToPath(new URL('../../../..', import.meta.url))

/** The command under test: the built one, or the same with a launcher under sanitizers. */
export const rktProgram: string = process.env['RKT_TEST_PROGRAM'] ?? fileURLToPath(new URL('../../../bin/rkt', import.meta.url))

/** A program of `test/probes`, as a path on the host. */
export function probe(name: string): string {
  return fileURLToPath(new URL(`../../../probes/${name}`, import.meta.url))
}
