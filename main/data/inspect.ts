import { basename } from 'node:path'
import { importMapping, type ColumnRole, type ImportMapping, type Inspection, type RowProblem } from '../../shared/contract/datasets.ts'
import { describeRow } from './describe.ts'
import { readRow } from './layouts.ts'
import { columnsOf, compileMapping } from './mapping-compile.ts'
import { guessMapping } from './mapping-guess.ts'
import { readHead } from './readers-bytes.ts'
import { nameOf, openRows, type FileFormat, type RowValues, type SourceRow } from './readers.ts'
import { SNIFF_BYTES, sniffFormat } from './sniff.ts'

/** Rows looked at for the guess: enough that a value of a label which is rare at the start has a chance to show. */
const GUESS_ROWS = 2000
const GUESS_BYTES = 4 * 1024 * 1024
const EXAMPLE_LENGTH = 80
/** Pieces of the unpacked file that are looked at: a compressed one can hold gigabytes of nothing. */
const GUESS_PIECES = 256

export interface InspectOptions {
  /** In place of the guess. */
  readonly mapping: ImportMapping | null
  /** Rows to preview. */
  readonly limit: number
}

/**
 * Reads the head of a file and says what it would be imported as.
 * @throws AppError when the file cannot be read or is of no known format
 */
export async function inspectFile(path: string, options: InspectOptions): Promise<Inspection> {
  const head = await readHead(path, SNIFF_BYTES)
  const format: FileFormat = options.mapping?.format ?? sniffFormat(head, head.length < SNIFF_BYTES, path)
  const { rows, sizeBytes } = await readFirstRows(path, format)
  const values = rows.flatMap((row): RowValues[] => (row.values === null ? [] : [row.values]))
  const columns = [...new Set(values.flatMap((row) => Object.keys(row)))]
  const mapping = importMapping.parse(options.mapping ?? guessMapping(format, columns, values))
  const preview = previewRows(rows, mapping, options.limit)
  return {
    path,
    fileName: basename(path),
    sizeBytes,
    mapping,
    columns: columns.map((name) => describeColumn(name, mapping.columns[name] ?? 'metadata', values)),
    ...preview,
    missingRoles: missingRoles(mapping, columns, values),
  }
}

async function readFirstRows(path: string, format: FileFormat): Promise<{ readonly rows: readonly SourceRow[]; readonly sizeBytes: number }> {
  const source = await openRows(path, { format })
  const rows: SourceRow[] = []
  let pieces = 0
  for await (const batch of source.batches()) {
    pieces += 1
    for (const row of batch) if (rows.length < GUESS_ROWS) rows.push(row)
    if (rows.length >= GUESS_ROWS || (rows.length > 0 && source.bytesRead() >= GUESS_BYTES) || pieces >= GUESS_PIECES) break
  }
  return { rows, sizeBytes: source.totalBytes }
}

function previewRows(rows: readonly SourceRow[], mapping: ImportMapping, limit: number): Pick<Inspection, 'rowsRead' | 'rows' | 'problems'> {
  const compiled = compileMapping(mapping)
  const problems: RowProblem[] = []
  const preview: Inspection['rows'] = []
  const looked = rows.slice(0, limit)
  if (compiled.a === null || compiled.b === null) return { rowsRead: looked.length, rows: [], problems: looked.flatMap((row) => row.problem ?? []) }
  for (const source of looked) {
    if (source.problem !== null) {
      problems.push(source.problem)
      continue
    }
    const { row, problems: found } = readRow(source.values, source.line, compiled)
    problems.push(...found)
    if (row === null) continue
    const { prompt, a, b } = row.pair
    preview.push({ line: source.line, prompt, a, b, labels: [...row.labels], sentence: describeRow(source.values, row.labels, compiled) })
  }
  return { rowsRead: looked.length, rows: preview, problems }
}

function describeColumn(name: string, role: ColumnRole, rows: readonly RowValues[]): Inspection['columns'][number] {
  const present = rows.filter((row) => row[name] !== undefined && row[name] !== null && row[name] !== '')
  const types = [...new Set(present.map((row) => typeName(row[name])))]
  const first = present[0]?.[name]
  const text = first === undefined ? '' : typeof first === 'string' ? first : JSON.stringify(first)
  const example = text.length <= EXAMPLE_LENGTH ? text : `${Array.from(text.slice(0, EXAMPLE_LENGTH * 2)).slice(0, EXAMPLE_LENGTH - 1).join('')}…`
  return { name, role, type: types.length === 0 ? 'empty' : types.sort().join(' or '), missing: rows.length - present.length, example }
}

function typeName(value: unknown): string {
  if (Array.isArray(value)) return value.length > 0 && value.every((item) => typeof item === 'object' && item !== null && ('role' in item || 'from' in item)) ? 'turns' : 'list'
  if (typeof value === 'boolean') return 'true/false'
  if (typeof value === 'number') return 'number'
  return typeof value === 'object' ? (value === null ? nameOf(value) : 'object') : 'text'
}

/** What an import still lacks: two sides always; a prompt unless it stands at the head of both. */
export function missingRoles(mapping: ImportMapping, columns: readonly string[], rows: readonly RowValues[]): ColumnRole[] {
  const given = (role: ColumnRole): boolean => columnsOf(mapping, role).some((column) => columns.includes(column))
  const missing: ColumnRole[] = []
  const ranked = mapping.layout !== 'mapped'
  if (ranked) missing.push(...(['chosen', 'rejected'] as const).filter((role) => !given(role)))
  else if (!(given('chosen') && given('rejected'))) missing.push(...(['a', 'b'] as const).filter((role) => !given(role)))
  const side = columnsOf(mapping, ranked ? 'chosen' : 'a')[0]
  const conversational = side !== undefined && rows.some((row) => Array.isArray(row[side]))
  if ((mapping.layout === 'trl-explicit' || (mapping.layout === 'mapped' && !conversational)) && !given('prompt')) missing.push('prompt')
  return missing
}
