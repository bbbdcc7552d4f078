import { isUtf8 } from 'node:buffer'
import type { z } from 'zod'
import { fileFormat, type RowProblem } from '../../../shared/contract/import-mapping.ts'
import { AppError } from '../../../shared/errors.ts'
import { isNestedDeeperThan, MOST_NESTED } from '../../base/files/nesting.ts'
import { openText, readTextHead } from './text-of.ts'
import { createCsvScanner, guessDialect, headerNames, splitCells, type CsvDialect } from './readers-csv.ts'
import { createJsonScanner } from './readers-json.ts'
import { createLineScanner, MAX_RECORD_BYTES, type RawRecord, type Scanner } from '../../base/files/lines.ts'

export type FileFormat = z.infer<typeof fileFormat>
export type RowValues = Readonly<Record<string, unknown>>

/** A row of the file as the file has it, or the reason why it cannot be one. */
export type SourceRow =
  | { readonly line: number; readonly values: RowValues; readonly problem: null }
  | { readonly line: number; readonly values: null; readonly problem: RowProblem }

export interface RowSource {
  readonly totalBytes: number
  bytesRead(): number
  /** A batch for each piece of the file, so that reading costs no promise a row. */
  batches(): AsyncGenerator<readonly SourceRow[]>
}

export interface ReadOptions {
  readonly format: FileFormat
  readonly chunkBytes?: number
  readonly maxRecordBytes?: number
}

const DIALECT_HEAD_BYTES = 256 * 1024

/**
 * Reads a file row by row; no more of it is in memory than one piece and one row. Broken rows come as problems with
 * their line (element, in a JSON array), never as exceptions.
 * @throws AppError when the file itself cannot be read
 */
export async function openRows(path: string, options: ReadOptions): Promise<RowSource> {
  const source = await openText(path, options.chunkBytes)
  const maxBytes = options.maxRecordBytes ?? MAX_RECORD_BYTES
  const isTable = options.format === 'csv' || options.format === 'tsv'
  const dialect = isTable ? guessDialect(await readTextHead(path, DIALECT_HEAD_BYTES), options.format === 'tsv') : null
  async function* batches(): AsyncGenerator<readonly SourceRow[]> {
    const scanner = createScanner(options.format, dialect, maxBytes)
    const toRow = dialect === null ? parseObject : createTableParser(dialect)
    function convert(records: readonly RawRecord[]): SourceRow[] {
      return records.flatMap((record) => toRow(record) ?? [])
    }
    for await (const chunk of source.chunks()) {
      const rows = convert(scanner.push(chunk))
      yield rows
    }
    yield convert(scanner.end())
  }
  return { totalBytes: source.totalBytes, bytesRead: source.bytesRead, batches }
}

function createScanner(format: FileFormat, dialect: CsvDialect | null, maxBytes: number): Scanner {
  if (format === 'json') return createJsonScanner(maxBytes)
  return dialect === null ? createLineScanner(maxBytes) : createCsvScanner(dialect, maxBytes)
}

function refuse(line: number, code: string, reason: string, hint: string): SourceRow {
  return { line, values: null, problem: { line, severity: 'error', code, reason, hint } }
}

function decode(record: RawRecord): string | SourceRow {
  if (record.bytes === null) return { line: record.line, values: null, problem: record.problem }
  if (isUtf8(record.bytes)) return record.bytes.toString('utf8')
  return refuse(
    record.line,
    'not-utf8',
    'The row holds bytes that are not UTF-8 text.',
    'Save the file again as UTF-8.',
  )
}

function parseObject(record: RawRecord): SourceRow {
  const text = decode(record)
  if (typeof text !== 'string') return text
  let value: unknown
  try {
    value = parseKeepingBigIntegers(text)
  } catch (error) {
    const unreal = UNREAL.exec(text)?.[1]
    if (unreal !== undefined)
      return refuse(
        record.line,
        'not-a-number',
        `The row holds ${unreal}, which is no number and no JSON.`,
        'Leave such rows out where the file is written, or write null where nothing is known.',
      )
    const what = error instanceof Error ? error.message : String(error)
    return refuse(
      record.line,
      'json-broken',
      `The row is not valid JSON: ${shorten(what)}.`,
      'Look for a missing quote, comma or bracket, or a row that was cut off.',
    )
  }
  if (isNestedDeeperThan(value, MOST_NESTED))
    return refuse(
      record.line,
      'row-too-deep',
      `The row has lists or objects that stand inside each other more than ${MOST_NESTED} deep.`,
      'Take that part out where the file is written; rows hold texts, numbers and conversations.',
    )
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return { line: record.line, values: withoutInherited(value as Record<string, unknown>), problem: null } // an object was just proved
  return refuse(
    record.line,
    'row-not-object',
    `The row is ${nameOf(value)}, not an object with named columns.`,
    'Every row needs names, as in {"prompt": …, "chosen": …, "rejected": …}.',
  )
}

/** A column may be called `constructor`: a row that lacks it must not find what every object inherits. */
function withoutInherited(row: Record<string, unknown>): RowValues {
  return Object.setPrototypeOf(row, null) as RowValues
}

/** Runs of 16 digits or more: integers that a double would silently change. Text that only looks so costs a second parse, nothing else. */
const BIG_INTEGER = /[0-9]{16}/

/** Ids are compared as text, so an integer that a double cannot hold is kept as its digits. */
function parseKeepingBigIntegers(text: string): unknown {
  if (!BIG_INTEGER.test(text)) return JSON.parse(text)
  return JSON.parse(text, (_key, value: unknown, context?: { readonly source?: string }) =>
    typeof value === 'number' &&
    context?.source !== undefined &&
    /^-?\d+$/.test(context.source) &&
    !Number.isSafeInteger(value) &&
    String(value) !== context.source
      ? context.source
      : value,
  )
}

/** Python writes these words where a number should be. */
const UNREAL = /[[:,]\s*(NaN|-?Infinity)\s*[,}\]]/

/** V8 quotes the text around an error; keep the message readable. */
function shorten(message: string): string {
  return message.length <= 160 ? message.replace(/\s+/g, ' ') : `${message.slice(0, 157).replace(/\s+/g, ' ')}…`
}

export function nameOf(value: unknown): string {
  if (value === null) return 'null'
  if (value === undefined) return 'missing'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'boolean') return value ? 'true' : 'false'
  if (typeof value === 'number') return `the number ${value}`
  return typeof value === 'object' ? 'an object' : 'text'
}

function createTableParser(dialect: CsvDialect): (record: RawRecord) => SourceRow | null {
  let names: readonly string[] | null = null
  return (record) => {
    const text = decode(record)
    if (typeof text !== 'string') {
      if (names === null) throw headerError(text.problem?.reason ?? 'it cannot be read')
      return text
    }
    const cells = splitCells(text, dialect)
    if (names === null) {
      names = headerNames(cells)
      return null
    }
    if (cells.length !== names.length) {
      return refuse(
        record.line,
        'csv-width',
        `The row has ${cells.length} ${cells.length === 1 ? 'cell' : 'cells'}, the header has ${names.length}.`,
        'Put quotes around cells that hold the separator or a line break.',
      )
    }
    const columns = names
    return {
      line: record.line,
      values: withoutInherited(Object.fromEntries(cells.map((cell, index) => [columns[index] ?? '', cell]))),
      problem: null,
    }
  }
}

function headerError(reason: string): AppError {
  return new AppError({
    code: 'dataset-invalid',
    message: `The first line, which must hold the names of the columns, cannot be read: ${reason}`,
    hint: 'Save the table as UTF-8 CSV with a header line.',
  })
}
