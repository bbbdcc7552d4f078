import type { Comparison, Interval } from '../../../shared/contract/comparisons.ts'
import { pointInWords, type ComparePoint } from '../../../shared/compare-point.ts'
import { csvText } from '../../../shared/csv.ts'
import { decimalsFor } from './comparison-words.ts'

export type TableFormat = 'csv' | 'latex' | 'markdown'

/**
 * One row a group, its seeds, and for each metric the mean with its interval, of the runs that count. What the groups
 * learned from has a column of its own where it is not the same. CSV keeps every digit and the metrics' names, for machines.
 * @param nameOf how a metric is called by people   @param at where on their curves the values are taken
 */
export function formatTable(
  comparison: Comparison,
  metrics: readonly string[],
  format: TableFormat,
  nameOf: (metric: string) => string = (metric) => metric,
  at: ComparePoint = 'best',
): string {
  if (format === 'csv') return csvTable(comparison, metrics, at)
  const data = differentData(comparison)
  const rows = comparison.groups.map((group) => {
    const n = Math.max(0, ...metrics.map((name) => group.values[name]?.n ?? 0))
    return [
      group.label,
      ...(data ? [group.data] : []),
      String(n),
      ...metrics.map((name) => showCell(group.values[name], n)),
    ]
  })
  const head = ['Method', ...(data ? ['Data'] : []), 'n', ...metrics.map(nameOf)]
  const note = `Values are taken ${pointInWords(at)}.`
  return format === 'latex'
    ? `% ${note}\n${latexTable(head, rows, data ? 'll' : 'l')}`
    : `${markdownTable(head, rows, data ? 2 : 1)}\n${note}\n`
}

/** True where the rows may not be set against each other for what they learned from. */
function differentData({ groups }: Comparison): boolean {
  return new Set(groups.map((group) => group.data)).size > 1
}

/** A number that fewer runs stand behind than the row says, says so itself. */
function showCell(interval: Interval | undefined, n: number): string {
  const fewer = interval !== undefined && interval.n > 0 && interval.n < n ? ` (n = ${interval.n})` : ''
  return `${showInterval(interval)}${fewer}`
}

/** `0.713 ± 0.031`, with the digits that the interval supports; the half-width stands for an interval that is not quite even. */
export function showInterval(interval: Interval | undefined): string {
  if (interval === undefined || interval.mean === null) return '–'
  if (interval.low === null || interval.high === null) return interval.mean.toFixed(3)
  const half = (interval.high - interval.low) / 2
  const digits = decimalsFor(half)
  return `${interval.mean.toFixed(digits)} ± ${half.toFixed(digits)}`
}

function csvTable(comparison: Comparison, metrics: readonly string[], at: ComparePoint): string {
  const data = differentData(comparison)
  const head = [
    'group',
    'method',
    ...(data ? ['data'] : []),
    'seeds',
    'at',
    ...metrics.flatMap((name) => [name, `${name} low`, `${name} high`, `${name} n`]),
  ]
  const rows = comparison.groups.map((group) => {
    const cells = metrics.flatMap((name) => {
      const value = group.values[name]
      return [value?.mean, value?.low, value?.high, value?.n ?? 0]
    })
    return [
      group.label,
      group.method,
      ...(data ? [group.data] : []),
      group.seeds.filter((_seed, index) => group.counted[index]).join(' '),
      String(at),
      ...cells,
    ]
  })
  return csvText([head, ...rows])
}

function markdownTable(head: readonly string[], rows: readonly (readonly string[])[], textColumns: number): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => oneLine(cell).replace(/[\\|<`*]/g, '\\$&')).join(' | ')} |`
  return `${[line(head), `| ${head.map((_, column) => (column < textColumns ? '---' : '---:')).join(' | ')} |`, ...rows.map(line)].join('\n')}\n`
}

function latexTable(head: readonly string[], rows: readonly (readonly string[])[], textColumns: string): string {
  const line = (cells: readonly string[]): string => `  ${cells.map(latexCell).join(' & ')} \\\\`
  return [
    `\\begin{tabular}{${textColumns}${'r'.repeat(head.length - textColumns.length)}}`,
    '  \\toprule',
    line(head),
    '  \\midrule',
    ...rows.map(line),
    '  \\bottomrule',
    '\\end{tabular}',
    '',
  ].join('\n')
}

const LATEX_LETTERS: Readonly<Record<string, string>> = {
  '\\': '\\textbackslash{}',
  '~': '\\textasciitilde{}',
  '^': '\\textasciicircum{}',
  '·': '$\\cdot$',
  β: '$\\beta$',
  '–': '--',
  '−': '$-$',
  '±': '$\\pm$',
  '&': '\\&',
  '%': '\\%',
  $: '\\$',
  '#': '\\#',
  _: '\\_',
  '{': '\\{',
  '}': '\\}',
  '<': '\\textless{}',
  '>': '\\textgreater{}',
  '|': '\\textbar{}',
  '"': '\\textquotedbl{}',
}

function latexCell(text: string): string {
  const numbers = /^(-?[\d.]+) ± ([\d.]+)( \(n = \d+\))?$/.exec(text)
  if (numbers !== null) return `$${numbers[1]} \\pm ${numbers[2]}$${numbers[3] ?? ''}`
  const escaped = oneLine(text).replace(/[\\~^·β–−±&%$#_{}<>|"]/g, (letter) => LATEX_LETTERS[letter] ?? letter)
  // After the end of a row, LaTeX takes a bracket or a star for an option of it.
  return /^\s*[[*]/.test(escaped) ? `{}${escaped}` : escaped
}

/** Line breaks and control characters of a name would break the row. */
function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029]+/gu, ' ')
}
