import { readFileSync } from 'node:fs'
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import test from 'ava'
import { isRktError } from '../../../src/base/index.ts'
import { parseImageManifest, parsePodManifest } from '../../../src/spec/index.ts'
import { imageCases, podCases, type Case } from './corpus.ts'

const ajv = new Ajv2020({ allErrors: true, strict: true, strictTypes: false, strictRequired: false })
const imageSchema = ajv.compile(readSchema('image-manifest'))
const podSchema = ajv.compile(readSchema('pod-manifest'))

function readSchema(name: string): Readonly<Record<string, unknown>> {
  return JSON.parse(readFileSync(`specs/${name}.schema.json`, 'utf8'))
}

function compare(cases: readonly Case[], { what, schema, parse }: { what: string; schema: ValidateFunction; parse: (json: unknown) => unknown }): void {
  for (const { title, manifest, expected } of cases) {
    test(`the schema and the parser of the ${what} manifest agree on ${title} (${expected})`, (t) => {
      t.is(schema(manifest), expected !== 'bad', JSON.stringify(schema.errors))
      if (expected === 'good') t.notThrows(() => parse(manifest))
      else t.true(isRktError(t.throws(() => parse(manifest)), 'invalid-manifest'))
    })
  }
}

compare(imageCases, { what: 'image', schema: imageSchema, parse: parseImageManifest })
compare(podCases, { what: 'pod', schema: podSchema, parse: parsePodManifest })
