// Compiles the default seccomp filter into DIR, under the name that src/stage1/seccomp-filter.ts looks for.
import { execFileSync } from 'node:child_process'
import { readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { defaultProfile } from '../build/js/src/stage1/seccomp-default.js'
import { builtFilterName } from '../build/js/src/stage1/seccomp-filter.js'
import { profileText } from '../build/js/src/stage1/seccomp-profile.js'

const directory = process.argv[2]
const text = profileText(defaultProfile())
const filter = execFileSync(join(directory, 'seccomp'), { input: text })
const name = builtFilterName(text)
for (const old of readdirSync(directory)) if (/^seccomp-[0-9a-f]{64}\.bpf$/.test(old) && old !== name) rmSync(join(directory, old))
writeFileSync(join(directory, `${name}.new`), filter)
renameSync(join(directory, `${name}.new`), join(directory, name))
