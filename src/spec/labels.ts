import { quote } from '../base/index.ts'
import { fault, type At, type Decoder } from './decode.ts'
import { acIdentifier, checked, object, orElse, required, text, uniqueList } from './decoders.ts'
import type { ACIdentifier } from './names.ts'
import { badArch, badOS, validArchs } from './os-arch.ts'

export interface Label {
  readonly name: ACIdentifier
  readonly value: string
}

export interface Annotation {
  readonly name: ACIdentifier
  readonly value: string
}

const pair = object({ name: required(acIdentifier), value: orElse(text, () => '') })

/** Labels: unique names, none of them `name`, and an os and arch that go together; SPEC: appc 0.8.11 aci.md. */
export const labels: Decoder<readonly Label[]> = checked(
  uniqueList<Label>(pair, { key: (label) => label.name, problem: (name) => `duplicate labels of name ${quote(name)}` }),
  checkLabels,
)

/** Annotations: unique names; `created` is a date, `homepage` and `documentation` are http or https URLs. */
export const annotations: Decoder<readonly Annotation[]> = checked(
  uniqueList<Annotation>(pair, { key: (annotation) => annotation.name, problem: (name) => `duplicate annotations of name ${quote(name)}` }),
  checkAnnotations,
)

/** The value of the label or annotation `name`. */
export function valueOf(list: readonly (Label | Annotation)[], name: string): string | undefined {
  return list.find((item) => item.name === name)?.value
}

function checkLabels(list: readonly Label[], at: At): void {
  if (valueOf(list, 'name') !== undefined) fault(at, 'invalid label name: "name"')
  const os = valueOf(list, 'os')
  if (os === undefined) return
  const archs = validArchs(os)
  const arch = valueOf(list, 'arch')
  if (archs === undefined) fault(at, badOS(os))
  else if (arch !== undefined && !archs.includes(arch)) fault(at, badArch(arch, { os, archs }))
}

const datePattern = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/

function checkAnnotations(list: readonly Annotation[], at: At): void {
  const created = valueOf(list, 'created')
  if (created !== undefined && (!datePattern.test(created) || Number.isNaN(Date.parse(created)))) {
    fault(at, `annotation "created" is ${quote(created)}; expected a date as in RFC 3339`)
  }
  for (const name of ['homepage', 'documentation']) {
    const url = valueOf(list, name)
    if (url !== undefined && !/^https?:/i.test(url)) fault(at, `annotation "${name}" is ${quote(url)}; expected an http or https URL`)
  }
}
