import type { Label } from '../spec/index.ts'

export interface TemplateValues {
  readonly name: string
  readonly labels: readonly Label[]
  readonly ext: 'aci' | 'aci.asc'
}

/** The URL that a template gives, `version` being `latest` when no label says it; undefined while something in braces is left. */
export function fillTemplate(template: string, { name, labels, ext }: TemplateValues): string | undefined {
  const values = new Map<string, string>([['version', 'latest'], ...labels.map((label): [string, string] => [label.name, encodeURIComponent(label.value)]), ['name', name], ['ext', ext]])
  let complete = true
  const text = template.replace(/\{([^{}]*)\}/g, (whole, key: string) => {
    const value = values.get(key)
    complete &&= value !== undefined
    return value ?? whole
  })
  return complete && !/[{}]/.test(text) ? text : undefined
}
