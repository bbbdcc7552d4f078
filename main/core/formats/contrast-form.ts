// Which of its forms a file of texts has, judged by its first lines: never by its name.
import { AppError } from '../../../shared/errors.ts'
import { areKnown, findColumns } from './contrast-columns.ts'
import { readScore } from './contrast-scores.ts'
import { readTextHead } from './text-of.ts'
import { createCsvScanner, guessDialect, headerNames, splitCells, type CsvDialect } from './readers-csv.ts'

/** What a person can say of a file that could be read in two ways. */
export type ContrastFormat = 'lines' | 'jsonl' | 'json' | 'csv' | 'tsv'

export type ContrastForm =
  | { readonly kind: 'lines' | 'jsonl' | 'json' }
  /** `names` from the header, or given to columns without one; rows may have more cells than names where `loose`. */
  | {
      readonly kind: 'table'
      readonly dialect: CsvDialect
      readonly names: readonly string[]
      readonly hasHeader: boolean
      readonly loose: boolean
    }

const HEAD_BYTES = 256 * 1024
/** stsbenchmark's files have no header and may have more columns. */
const STS_NAMES = ['genre', 'filename', 'year', 'id', 'score', 'sentence1', 'sentence2'] as const

/** @param as what the person says; null where the file is to tell   @throws AppError `input-invalid` where it could be read in two ways */
export async function findContrastForm(file: string, as: ContrastFormat | null): Promise<ContrastForm> {
  const head = await readTextHead(file, HEAD_BYTES)
  const lines = head
    .toString('utf8')
    .split(/\r\n|\n|\r/)
    .filter((line) => line.trim() !== '')
  const first = (lines[0] ?? '').trimStart()
  if (as === 'lines' || as === 'jsonl' || as === 'json') return { kind: as }
  if (as === null && first.startsWith('{'))
    return { kind: lines.length > 1 && !isJson(first) && lines.every((line) => !isJson(line)) ? 'json' : 'jsonl' }
  // "[music] plays" is a line of text.
  if (as === null && /^\[\s*([[{"\]]|$)/.test(first)) return formOfLists(file, lines)
  return formOfTable(file, head, lines, as)
}

function formOfLists(file: string, lines: readonly string[]): ContrastForm {
  const first = parse(lines[0]!)
  if (!Array.isArray(first) || first.some((one) => typeof one === 'object')) return { kind: 'json' }
  if (lines.length > 1) return { kind: 'jsonl' }
  throw twoReadings(file, `is one list of ${first.length} texts: one row, or as many texts`, 'jsonl', 'json')
}

function formOfTable(file: string, head: Buffer, lines: readonly string[], as: 'csv' | 'tsv' | null): ContrastForm {
  const first = lines[0] ?? ''
  const isTsv = as === null ? first.includes('\t') : as === 'tsv'
  const dialect = guessDialect(head, isTsv)
  const whole = head.length < HEAD_BYTES ? lines : lines.slice(0, -1)
  const rows = createCsvScanner(dialect)
    .push(Buffer.from(`${whole.join('\n')}\n`))
    .flatMap(({ bytes }) => (bytes === null ? [] : [splitCells(bytes.toString('utf8'), dialect)]))
  const cells = splitCells(first, dialect)
  const table = (names: readonly string[], hasHeader: boolean, loose = false): ContrastForm => ({
    kind: 'table',
    dialect,
    names,
    hasHeader,
    loose,
  })
  if (areKnown(findColumns(cells))) return table(headerNames(cells), true, isTsv && !dialect.quoted)
  if (isTsv && cells.length >= STS_NAMES.length && readScore(cells[4]) !== null)
    return {
      kind: 'table',
      dialect: { delimiter: '\t', quoted: false },
      names: STS_NAMES,
      hasHeader: false,
      loose: true,
    }
  const even = cells.length > 1 && rows.every((row) => row.length === cells.length)
  if (as === null && !even) {
    if (isTsv && cells.length > 2)
      throw new AppError({
        code: 'dataset-invalid',
        message: `The first line has ${cells.length} columns that are none of the known forms.`,
        hint: 'Known are columns called query, positive, negative, sentence1, sentence2, score and the like, and STS-B; for plain lines give --as lines.',
      })
    return { kind: 'lines' }
  }
  const isScores = (from: readonly (readonly string[])[], at: number): boolean =>
    from.length > 0 && from.every((row) => readScore(row[at]) !== null)
  const scoreAt = cells.findIndex((_cell, at) => isScores(rows, at))
  if (even && scoreAt === -1 && cells.some((_cell, at) => isScores(rows.slice(1), at)))
    throw new AppError({
      code: 'input-invalid',
      message: `${file} has a header whose names are not known: ${cells.join(', ').slice(0, 200)}.`,
      hint: 'Call the columns sentence1, sentence2 and score; or query, positive and negative.',
    })
  const texts = cells.map((_cell, at) => at).filter((at) => at !== scoreAt)
  if (even && scoreAt !== -1 && texts.length === 2)
    return table(
      cells.map((_cell, at) => (at === scoreAt ? 'score' : at === texts[0] ? 'sentence1' : 'sentence2')),
      false,
    )
  if (as === null)
    throw twoReadings(
      file,
      `has ${cells.length} columns (${cells.join(', ').slice(0, 120)}) without names that are known: texts that belong together, or lines of text`,
      isTsv ? 'tsv' : 'csv',
      'lines',
    )
  return table(
    cells.map((_cell, at) => ['query', 'positive'][at] ?? `negative_${at - 1}`),
    false,
  )
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined // what is no JSON is told row by row
  }
}

const isJson = (text: string): boolean => parse(text) !== undefined

function twoReadings(file: string, what: string, one: ContrastFormat, other: ContrastFormat): AppError {
  return new AppError({
    code: 'input-invalid',
    message: `${file} ${what}.`,
    hint: `Say which form it has, ${one} or ${other}; on the command line: --texts --as ${one} or --texts --as ${other}.`,
  })
}
