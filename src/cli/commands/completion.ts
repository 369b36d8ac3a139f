import { RktError } from '../../base/index.ts'
import { takeOne } from '../arguments.ts'
import type { Context } from '../context.ts'
import type { Invocation } from '../parse/invocation.ts'

/** Code for a shell that asks `rkt complete-words` for every completion; file names are the shell's own matter. */
const scripts: Readonly<Record<string, string>> = {
  bash: `_rkt() {
  local word
  COMPREPLY=()
  while IFS= read -r word; do COMPREPLY+=("$word"); done < <(rkt complete-words -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -o default -o bashdefault -F _rkt rkt
`,
  zsh: `#compdef rkt
_rkt() {
  local -a found
  found=("\${(@f)$(rkt complete-words -- "\${words[@]:1:$((CURRENT - 1))}" 2>/dev/null)}")
  if [[ -n "\${found[1]}" ]]; then compadd -- "\${found[@]}"; else _files; fi
}
if [[ "$funcstack[1]" == _rkt ]]; then _rkt; else compdef _rkt rkt; fi
`,
  fish: `complete -c rkt -a '(rkt complete-words -- (commandline -opc)[2..] (commandline -ct) 2>/dev/null)'
`,
}

/** Prints the completion code of a shell. */
export async function run(context: Context, invocation: Invocation): Promise<number> {
  const shell = takeOne(invocation, 'shell name')
  const script = Object.hasOwn(scripts, shell) ? scripts[shell] : undefined
  if (script === undefined) throw new RktError('usage', `unsupported shell ${JSON.stringify(shell)}; expected bash, zsh or fish`)
  context.out(script)
  return 0
}
