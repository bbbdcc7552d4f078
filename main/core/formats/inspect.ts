import { basename } from 'node:path'
import {
  importMapping,
  type ColumnRole,
  type ImportMapping,
  type Inspection,
  type LabelAnswer,
  type RowProblem,
} from '../../../shared/contract/import-mapping.ts'
import { AppError } from '../../../shared/errors.ts'
import { describeRow } from './describe.ts'
import { decideLabels } from './label-decide.ts'
import { readRow } from './layouts.ts'
import { cellOf, columnsOf, compileMapping, sidesAreRanked } from './mapping-compile.ts'
import { guessMapping } from './mapping-guess.ts'
import { readTextHead } from './text-of.ts'
import { nameOf, openRows, type FileFormat, type RowValues, type SourceRow } from './readers.ts'
import { SNIFF_BYTES, sniffFormat } from './sniff.ts'
import { previewUnpaired } from './unpaired-rows.ts'

/** Rows looked at for the guess: enough that a value of a label which is rare at the start has a chance to show. */
const GUESS = { rows: 2000, bytes: 4 * 1024 * 1024, pieces: 256 }
const EXAMPLE_LENGTH = 80
const SIDES: readonly ColumnRole[] = ['a', 'b', 'chosen', 'rejected']

/** Rows looked at for the meaning of labels: sorted files show one value for long. */
const LABELS = { rows: 20_000, bytes: 48 * 1024 * 1024, pieces: 1024 }

/** How much of a file is looked at. Pieces are of the unpacked file: a compressed one can hold gigabytes of nothing. */
export type Most = typeof GUESS

export interface InspectOptions {
  /** In place of the guess. */
  readonly mapping: ImportMapping | null
  /** What is known of columns before the rest is guessed. */
  readonly roles?: Readonly<Record<string, ColumnRole>>
  /** What somebody says of the label values. */
  readonly labels?: LabelAnswer | null
  /** Rows to preview. */
  readonly limit: number
}

/**
 * Reads the head of a file and says what it would be imported as.
 * @throws AppError when the file cannot be read or is of no known format
 */
export async function inspectFile(path: string, options: InspectOptions): Promise<Inspection> {
  const head = await readTextHead(path, SNIFF_BYTES)
  const format: FileFormat = options.mapping?.format ?? sniffFormat(head, head.length < SNIFF_BYTES, path)
  const { rows, sizeBytes } = await readFirstRows(path, format, GUESS)
  const values = rows.flatMap((row): RowValues[] => (row.values === null ? [] : [row.values]))
  const names = [...new Set(values.flatMap((row) => Object.keys(row)))]
  refuseUnknownColumns(path, options.roles ?? {}, names, values)
  const guessed = importMapping.parse(options.mapping ?? guessMapping(format, names, values, options.roles))
  const { mapping, question } = await decide(path, guessed, rows, options.labels ?? null)
  const columns = [
    ...names,
    ...Object.keys(mapping.columns).filter(
      (column) => !names.includes(column) && values.some((row) => cellOf(row, column) !== undefined),
    ),
  ]
  const missing = missingRoles(mapping, columns, values)
  return {
    path,
    fileName: basename(path),
    sizeBytes,
    mapping,
    columns: columns.map((name) => describeColumn(name, mapping.columns[name] ?? 'metadata', values)),
    ...previewRows(rows, mapping, options.limit),
    missingRoles: missing,
    unpaired: missing.some((role) => SIDES.includes(role))
      ? previewUnpaired(rows.slice(0, options.limit), names)
      : null,
    questions: question === null ? [] : [question],
  }
}

/** More of the file is read where numbers or unknown words are labels: what the first rows hold may not be all. */
async function decide(
  path: string,
  mapping: ImportMapping,
  rows: readonly SourceRow[],
  said: LabelAnswer | null,
): Promise<ReturnType<typeof decideLabels>> {
  const isSettled =
    said === null && mapping.labelsSaidBy === 'person' && (mapping.labelValues !== null || mapping.labelScale !== null)
  if (isSettled || columnsOf(mapping, 'label').length === 0 || rows.length === 0)
    return decideLabels(mapping, rows, said)
  const more = await readFirstRows(path, mapping.format, LABELS)
  return decideLabels(mapping, more.rows, said)
}

/** A role for a column that is not there would be forgotten without a word. */
function refuseUnknownColumns(
  path: string,
  roles: Readonly<Record<string, ColumnRole>>,
  names: readonly string[],
  rows: readonly RowValues[],
): void {
  const unknown = Object.keys(roles).filter(
    (column) => !names.includes(column) && !rows.some((row) => cellOf(row, column) !== undefined),
  )
  if (unknown.length === 0 || rows.length === 0) return
  throw new AppError({
    code: 'input-invalid',
    message: `${path} has no column ${unknown.map((column) => `"${column}"`).join(', ')}.`,
    hint: `Its columns are ${names.join(', ') || 'none'}.`,
  })
}

/** No more than that of a file. @throws AppError when it cannot be read */
export async function readFirstRows(
  path: string,
  format: FileFormat,
  most: Most,
): Promise<{ readonly rows: readonly SourceRow[]; readonly sizeBytes: number }> {
  const source = await openRows(path, { format })
  const rows: SourceRow[] = []
  let pieces = 0
  for await (const batch of source.batches()) {
    pieces += 1
    for (const row of batch) if (rows.length < most.rows) rows.push(row)
    if (rows.length >= most.rows || (rows.length > 0 && source.bytesRead() >= most.bytes) || pieces >= most.pieces)
      break
  }
  return { rows, sizeBytes: source.totalBytes }
}

function previewRows(
  rows: readonly SourceRow[],
  mapping: ImportMapping,
  limit: number,
): Pick<Inspection, 'rowsRead' | 'rows' | 'problems'> {
  const compiled = compileMapping(mapping)
  const problems: RowProblem[] = []
  const preview: Inspection['rows'] = []
  const looked = rows.slice(0, limit)
  if (compiled.a === null || compiled.b === null)
    return { rowsRead: looked.length, rows: [], problems: looked.flatMap((row) => row.problem ?? []) }
  for (const source of looked) {
    if (source.problem !== null) {
      problems.push(source.problem)
      continue
    }
    const { row, problems: found } = readRow(source.values, source.line, compiled)
    problems.push(...found)
    if (row === null) continue
    const { prompt, a, b } = row.pair
    preview.push({
      line: source.line,
      prompt,
      a,
      b,
      labels: [...row.labels],
      sentence: describeRow(source.values, row.labels, compiled),
    })
  }
  return { rowsRead: looked.length, rows: preview, problems }
}

function describeColumn(name: string, role: ColumnRole, rows: readonly RowValues[]): Inspection['columns'][number] {
  const present = rows
    .map((row) => cellOf(row, name))
    .filter((cell) => cell !== undefined && cell !== null && cell !== '')
  const types = [...new Set(present.map(typeName))]
  const [first] = present
  const text = first === undefined ? '' : typeof first === 'string' ? first : JSON.stringify(first)
  const example =
    text.length <= EXAMPLE_LENGTH
      ? text
      : `${Array.from(text.slice(0, EXAMPLE_LENGTH * 2))
          .slice(0, EXAMPLE_LENGTH - 1)
          .join('')}…`
  return {
    name,
    role,
    type: types.length === 0 ? 'empty' : types.sort().join(' or '),
    missing: rows.length - present.length,
    example,
  }
}

function typeName(value: unknown): string {
  if (Array.isArray(value))
    return value.length > 0 &&
      value.every((item) => typeof item === 'object' && item !== null && ('role' in item || 'from' in item))
      ? 'turns'
      : 'list'
  if (typeof value === 'boolean') return 'true/false'
  if (typeof value === 'number') return 'number'
  return typeof value === 'object' ? (value === null ? nameOf(value) : 'object') : 'text'
}

/** What an import still lacks: two sides always; a prompt unless it stands at the head of both. */
export function missingRoles(
  mapping: ImportMapping,
  columns: readonly string[],
  rows: readonly RowValues[],
): ColumnRole[] {
  const columnFor = (...roles: readonly ColumnRole[]): string | undefined =>
    roles.flatMap((role) => columnsOf(mapping, role)).find((column) => columns.includes(column))
  const isRanked = sidesAreRanked(mapping) || columnFor('chosen') !== undefined || columnFor('rejected') !== undefined
  const wanted: readonly ColumnRole[] =
    isRanked && columnFor('a', 'b') === undefined ? ['chosen', 'rejected'] : ['a', 'b']
  const missing: ColumnRole[] = wanted.filter(
    (role) => columnFor(role, role === 'a' ? 'chosen' : role === 'b' ? 'rejected' : role) === undefined,
  )
  const side = columnFor('a', 'chosen')
  const isConversation =
    side !== undefined && rows.some((row) => typeof cellOf(row, side) === 'object' && cellOf(row, side) !== null)
  const isInSides =
    sidesAreRanked(mapping) || isConversation || mapping.layout === 'trl-implicit' || mapping.layout === 'hh-rlhf'
  if (!isInSides && columnFor('prompt') === undefined) missing.push('prompt')
  return missing
}
