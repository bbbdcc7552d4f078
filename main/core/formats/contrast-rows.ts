import { isUtf8 } from 'node:buffer'
import type { RowProblem } from '../../../shared/contract/import-mapping.ts'
import type { ContrastForm } from './contrast-form.ts'
import { openText } from './text-of.ts'
import { createCsvScanner, splitCells } from './readers-csv.ts'
import { createJsonScanner } from './readers-json.ts'
import { createLineScanner, type RawRecord } from '../../base/files/lines.ts'

/** What a row of the file has: columns by name, a list of texts, or a text. */
export type ContrastRow =
  | { readonly line: number; readonly values: Readonly<Record<string, unknown>> }
  | { readonly line: number; readonly list: readonly unknown[] }
  | { readonly line: number; readonly text: string }
  | { readonly problem: RowProblem }

/** Rows of a file in its order. @throws AppError when the file cannot be read */
export async function* readContrastRows(file: string, form: ContrastForm): AsyncGenerator<ContrastRow> {
  const source = await openText(file)
  const scanner =
    form.kind === 'json'
      ? createJsonScanner()
      : form.kind === 'table'
        ? createCsvScanner(form.dialect)
        : createLineScanner()
  let header = form.kind === 'table' && form.hasHeader
  function* convert(records: readonly RawRecord[]): Generator<ContrastRow> {
    for (const { line, bytes, problem } of records) {
      if (header && bytes !== null) header = false
      else if (bytes === null) yield { problem }
      else if (!isUtf8(bytes))
        yield {
          problem: problemAt(
            line,
            'not-utf8',
            'The line holds bytes that are not UTF-8 text.',
            'Save the file again as UTF-8.',
          ),
        }
      else
        yield form.kind === 'table'
          ? rowOfCells(line, splitCells(bytes.toString('utf8'), form.dialect), form)
          : form.kind === 'lines'
            ? { line, text: bytes.toString('utf8') }
            : rowOfJson(line, bytes.toString('utf8'))
    }
  }
  for await (const chunk of source.chunks()) yield* convert(scanner.push(chunk))
  yield* convert(scanner.end())
}

function rowOfCells(
  line: number,
  cells: readonly string[],
  { names, loose }: Extract<ContrastForm, { kind: 'table' }>,
): ContrastRow {
  if (cells.length < names.length || (cells.length > names.length && !loose))
    return {
      problem: problemAt(
        line,
        'cells-missing',
        `The line has ${cells.length} ${cells.length === 1 ? 'column' : 'columns'}, not ${names.length}.`,
        'Put quotes around texts that hold the separator.',
      ),
    }
  return { line, values: Object.fromEntries(names.map((name, at) => [name, cells[at]!.trim()])) }
}

function rowOfJson(line: number, text: string): ContrastRow {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    return {
      problem: problemAt(
        line,
        'json-broken',
        `The line is not valid JSON: ${error instanceof Error ? error.message.slice(0, 120) : 'unreadable'}.`,
        'Look for a missing quote, comma or bracket, a line that was cut off, or NaN where a number should be.',
      ),
    }
  }
  if (typeof value === 'string') return { line, text: value }
  if (Array.isArray(value) && value.some((one) => typeof one === 'string')) return { line, list: value }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return {
      problem: problemAt(
        line,
        'row-not-object',
        'The line is no object with named columns, and no list of texts.',
        'Every line needs names, as in {"query": …, "positive": …, "negative": …}, or is a list: query, positive, negatives.',
      ),
    }
  return { line, values: value as Readonly<Record<string, unknown>> } // an object was just proved
}

export function problemAt(line: number, code: string, reason: string, hint: string): RowProblem {
  return { line, severity: 'error', code, reason, hint }
}
