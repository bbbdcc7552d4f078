import type { Comparison, Interval } from '../../shared/contract/comparisons.ts'
import { decimalsFor } from './comparison-words.ts'

export type TableFormat = 'csv' | 'latex' | 'markdown'

/** One row a group, its seeds, and for each metric the mean with its interval. CSV keeps every digit, for machines. */
export function formatTable(comparison: Comparison, metrics: readonly string[], format: TableFormat): string {
  if (format === 'csv') return csvTable(comparison, metrics)
  const rows = comparison.groups.map((group) => [group.label, String(Math.max(0, ...metrics.map((name) => group.values[name]?.n ?? 0))), ...metrics.map((name) => showInterval(group.values[name]))])
  const head = ['Method', 'n', ...metrics]
  return format === 'latex' ? latexTable(head, rows) : markdownTable(head, rows)
}

/** `0.71 ± 0.03`, with the digits that the interval supports; the half-width stands for an interval that is not quite even. */
export function showInterval(interval: Interval | undefined): string {
  if (interval === undefined || interval.mean === null) return '–'
  if (interval.low === null || interval.high === null) return interval.mean.toFixed(3)
  const half = (interval.high - interval.low) / 2
  const digits = decimalsFor(half)
  return `${interval.mean.toFixed(digits)} ± ${half.toFixed(digits)}`
}

function csvTable({ groups }: Comparison, metrics: readonly string[]): string {
  const head = ['group', 'method', 'seeds', ...metrics.flatMap((name) => [name, `${name} low`, `${name} high`, `${name} n`])]
  const rows = groups.map((group) => {
    const cells = metrics.flatMap((name) => {
      const value = group.values[name]
      return [value?.mean, value?.low, value?.high, value?.n ?? 0].map((cell) => (cell === null || cell === undefined ? '' : String(cell)))
    })
    return [group.label, group.method, group.seeds.join(' '), ...cells]
  })
  return `${[head, ...rows].map((row) => row.map(quoteCsv).join(',')).join('\r\n')}\r\n`
}

/** RFC 4180; a leading = + - @ of a text is shielded, so that a spreadsheet does not run it. */
function quoteCsv(cell: string): string {
  const safe = /^[=+@-]/.test(cell) && Number.isNaN(Number(cell)) ? `'${cell}` : cell
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}

function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  return `${[line(head), line(head.map((_, column) => (column === 0 ? '---' : '---:'))), ...rows.map(line)].join('\n')}\n`
}

function latexTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `  ${cells.map(latexCell).join(' & ')} \\\\`
  return [`\\begin{tabular}{l${'r'.repeat(head.length - 1)}}`, '  \\toprule', line(head), '  \\midrule', ...rows.map(line), '  \\bottomrule', '\\end{tabular}', ''].join('\n')
}

const LATEX_LETTERS: Readonly<Record<string, string>> = {
  '\\': '\\textbackslash{}', '~': '\\textasciitilde{}', '^': '\\textasciicircum{}', '·': '$\\cdot$', 'β': '$\\beta$', '–': '--',
  '&': '\\&', '%': '\\%', '$': '\\$', '#': '\\#', '_': '\\_', '{': '\\{', '}': '\\}',
}

function latexCell(text: string): string {
  const numbers = /^(-?[\d.]+) ± ([\d.]+)$/.exec(text)
  if (numbers !== null) return `$${numbers[1]} \\pm ${numbers[2]}$`
  return text.replace(/[\\~^·β–&%$#_{}]/g, (letter) => LATEX_LETTERS[letter] ?? letter)
}
