import type { Cell, Report, ResultTable } from './define.ts'

/** A report for the terminal: what was done, what came out, and a line for each claim. Of a study the tables say all. */
export function formatReport(report: Report): string {
  const gates = report.gates.map(
    (gate) => `  ${gate.verdict}: ${gate.claim}: ${gate.measured}, required ${gate.required}`,
  )
  return [
    report.title,
    `${report.form} form; ${report.seeds.length === 0 ? 'no randomness' : `seeds ${report.seeds.join(', ')}`}; ${report.setup}`,
    ...report.tables.flatMap((table) => ['', formatResults(table)]),
    '',
    ...gates,
    ...report.notes.map((note) => `  note: ${note}`),
    '',
    report.verdict === null ? `${report.id}: done` : `${report.id}: ${report.verdict}`,
  ].join('\n')
}

function formatResults({ title, columns, rows }: ResultTable): string {
  const texts = rows.map((row) => row.map(formatCell))
  const widths = columns.map((column, at) => Math.max(column.length, ...texts.map((row) => (row[at] ?? '').length)))
  const line = (cells: readonly string[]): string =>
    `  ${cells.map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0))).join('  ')}`.trimEnd()
  return [title, line(columns), ...texts.map(line)].join('\n')
}

/** Four decimals, or powers of ten for what they would hide; a mean with its interval. */
export function formatCell(cell: Cell): string {
  if (cell === null) return '–'
  if (typeof cell === 'string') return cell
  if (typeof cell === 'number') return formatFigure(cell)
  return `${formatFigure(cell.mean)} [${formatFigure(cell.low)}, ${formatFigure(cell.high)}] n=${cell.n}`
}

export function formatFigure(value: number): string {
  if (!Number.isFinite(value)) return String(value)
  if (Number.isInteger(value)) return String(value)
  const size = Math.abs(value)
  if (size >= 1e6) return value.toExponential(1)
  return size < 5e-4
    ? value.toExponential(1)
    : size < 10
      ? value.toFixed(4)
      : size < 1000
        ? value.toFixed(2)
        : String(Math.round(value))
}
