import { quote, RktError } from '../base/index.ts'
import type { ACIdentifier, ImageManifest, Label } from '../spec/index.ts'

/** What the user asked for. */
export interface Expectation {
  readonly name: ACIdentifier
  readonly labels: readonly Label[]
}

/**
 * Compares an image with what was asked for.
 *
 * @throws RktError `name-mismatch`, for labels with the original's words.
 */
export function checkExpectation(image: Expectation, expected: Expectation): void {
  if (image.name !== expected.name) {
    throw new RktError('name-mismatch', `cannot use image: its name is ${quote(image.name)}; expected ${quote(expected.name)}`)
  }
  for (const { name, value } of expected.labels) {
    const found = image.labels.find((label) => label.name === name)
    if (found === undefined) throw new RktError('name-mismatch', `requested label ${quote(name)} not provided by the image manifest`)
    if (found.value !== value) {
      throw new RktError('name-mismatch', `requested value for label ${quote(name)}: ${quote(value)} differs from fetched aci label value: ${quote(found.value)}`)
    }
  }
}

/** Whether the tree of an image is more or less than its own archive. */
export function isComposed({ dependencies, pathWhitelist }: ImageManifest): boolean {
  return dependencies.length > 0 || pathWhitelist.length > 0
}
