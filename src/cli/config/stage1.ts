import { isAbsolute } from 'node:path'
import { quote } from '../../base/index.ts'
import { asACIdentifier } from '../../spec/index.ts'
import { checkFields, refuseFile, type ConfigFile } from './config-file.ts'
import type { ConfigKind, Setting } from './merge.ts'

/** What kind `stage1` sets: name and version come as a pair, the location by itself. */
export type Stage1Setting =
  | { readonly kind: 'image'; readonly name: string; readonly version: string }
  | { readonly kind: 'location'; readonly location: string }

/** Kind `stage1`: the image that isolates pods. */
export const stage1Kind: ConfigKind<Stage1Setting> = { name: 'stage1', directory: 'stage1.d', neighbours: ['stage1'], read: readStage1 }

const schemes = ['file:', 'docker:', 'http:', 'https:']

function readStage1(file: ConfigFile): readonly Setting<Stage1Setting>[] {
  checkFields(file.path, { object: file.fields, known: ['name', 'version', 'location'] })
  const [name, version, location] = [text(file, 'name'), text(file, 'version'), text(file, 'location')]
  const found: Setting<Stage1Setting>[] = []
  if ((name === '') !== (version === '')) throw refuseFile(file.path, 'only one of "name" and "version" is given; expected both or none')
  if (name !== '') {
    if (asACIdentifier(name) === undefined) throw refuseFile(file.path, `"name" is ${quote(name)}; expected the name of an image`)
    found.push({ key: 'name', value: { kind: 'image', name, version } })
  }
  if (location !== '') {
    const scheme = URL.canParse(location) ? new URL(location).protocol : ''
    if (!isAbsolute(location) && !schemes.includes(scheme)) {
      throw refuseFile(file.path, 'default stage1 image location is either a relative path or a URL without scheme')
    }
    found.push({ key: 'location', value: { kind: 'location', location } })
  }
  return found
}

function text({ path, fields }: ConfigFile, name: string): string {
  const value = fields[name] ?? ''
  if (typeof value !== 'string') throw refuseFile(path, `"${name}" is not a text`)
  return value
}
