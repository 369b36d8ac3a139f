import { RktError } from '../base/index.ts'
import { parseACIdentifier, type Label } from '../spec/index.ts'
import { objectField, textField } from './fields.ts'

/** The labels in a record. @throws RktError `corrupted`. */
export function parseLabels(json: unknown): Label[] {
  if (!Array.isArray(json)) throw new RktError('corrupted', 'expected "labels" as a list')
  return json.map((entry: unknown) => {
    const fields = objectField(entry, 'label')
    return { name: parseACIdentifier(textField(fields, 'name')), value: textField(fields, 'value') }
  })
}
