/** Rows `{ what, ours, peer, theirs, budget, rule }` as a table for a terminal. */
export function table(rows) {
  const head = ['WHAT', 'RKT', 'PEER', 'ITS FIGURE', 'RATIO', 'BUDGET', 'RULE', '']
  const cells = rows.map(({ what, ours, peer, theirs, budget, rule }) =>
    [what, ours, peer, theirs ?? '-', theirs === undefined ? '-' : (ours / theirs).toFixed(2), budget, rule, ours <= budget ? 'within' : 'OVER'].map(String),
  )
  const widths = head.map((title, column) => Math.max(title.length, ...cells.map((row) => row[column].length)))
  const line = (row) => row.map((cell, column) => cell.padEnd(widths[column])).join('  ').trimEnd()
  return [head, ...cells].map(line).join('\n')
}
