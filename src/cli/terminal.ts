import { closeSync, constants, openSync, readSync } from 'node:fs'
import { isErrno, print, RktError } from '../base/index.ts'

/** The longest answer that is read. */
const answerBytes = 4096

/**
 * Asks on the controlling terminal until the answer is yes or no; standard input is left alone, it may be the app's.
 *
 * @throws RktError `usage` when there is no terminal.
 */
export function askYesOrNo(question: string): boolean {
  const fd = openTerminal()
  try {
    for (;;) {
      print(fd, `${question} (yes/no)?\n`)
      const answer = readAnswer(fd)
      if (answer === undefined || answer === 'no') return false
      if (answer === 'yes') return true
      print(fd, `Please enter 'yes' or 'no'\n`)
    }
  } finally {
    closeSync(fd)
  }
}

function openTerminal(): number {
  try {
    return openSync('/dev/tty', constants.O_RDWR | constants.O_NOCTTY)
  } catch (error) {
    if (!isErrno(error, 'ENXIO', 'ENOENT', 'EACCES')) throw error
    throw new RktError('usage', 'error reviewing key: unable to ask user to review fingerprint due to lack of tty', {
      hint: 'compare the fingerprint by other means, then give --skip-fingerprint-review',
    })
  }
}

/** One line, or undefined at the end of input. */
function readAnswer(fd: number): string | undefined {
  const buffer = Buffer.alloc(answerBytes)
  const length = readSync(fd, buffer, 0, buffer.length, null)
  return length === 0 ? undefined : buffer.subarray(0, length).toString().trim().toLowerCase()
}
