const tabWidth = 8

/**
 * Aligns cells as the original does: every cell but the last of a row is padded with TAB characters (at least one) to a column that
 * is a multiple of 8 wide, so that a program may split on TAB.
 */
export function tabulate(rows: readonly (readonly string[])[]): string {
  const widths: number[] = []
  for (const row of rows) {
    for (const [column, cell] of row.slice(0, -1).entries()) {
      widths[column] = Math.max(widths[column] ?? 0, (Math.floor(width(cell) / tabWidth) + 1) * tabWidth)
    }
  }
  return rows.map((row) => row.map((cell, column) => (column === row.length - 1 ? cell : cell + pad(cell, widths[column] ?? 0))).join('') + '\n').join('')
}

function pad(cell: string, columnWidth: number): string {
  return '\t'.repeat(Math.ceil((columnWidth - width(cell)) / tabWidth))
}

function width(cell: string): number {
  return [...cell].length
}
