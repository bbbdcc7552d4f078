// How a value is written into a CSV file, whoever writes one.

/** What spreadsheets take for the start of a formula, also after blanks, and in the wide forms of East Asian keyboards. */
const FORMULA = /^[\s\p{Cf}\p{Cc}"']*[=+\-@\uFF1D\uFF0B\uFF0D\uFF20\u2212]|^[\t\r\n\0]/u
const PLAIN_NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i

/**
 * One cell by RFC 4180. A text that a spreadsheet would run gets an apostrophe before it, which shows it as it stands;
 * numbers stay numbers. What is missing or not finite is an empty cell.
 */
export function csvCell(value: string | number | null | undefined): string {
  if (value === null || value === undefined || (typeof value === 'number' && !Number.isFinite(value))) return ''
  const written = String(value)
  const safe = FORMULA.test(written) && !PLAIN_NUMBER.test(written) ? `'${written}` : written
  return /[",;\t\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}

/** Rows of cells as a file, with the line ends that RFC 4180 asks for. */
export function csvText(rows: readonly (readonly (string | number | null | undefined)[])[]): string {
  return rows.map((row) => `${row.map(csvCell).join(',')}\r\n`).join('')
}
