import { isUtf8 } from 'node:buffer'
import { openText } from '../formats/text-of.ts'
import { createLineScanner, type RawRecord } from '../../base/files/lines.ts'
import { refuse, type Row } from './collection.ts'

/**
 * Lines of a text file (or a gzipped one) that are not blank, a batch for each piece of it, so that files larger than
 * memory can be read. @throws AppError when the file itself cannot be read
 */
export async function* readLines(path: string): AsyncGenerator<readonly Row<string>[]> {
  const source = await openText(path)
  const scanner = createLineScanner()
  for await (const chunk of source.chunks()) yield scanner.push(chunk).map(decode)
  yield scanner.end().map(decode)
}

function decode(record: RawRecord): Row<string> {
  if (record.bytes === null) return { line: record.line, value: null, problem: record.problem }
  if (isUtf8(record.bytes)) return { line: record.line, value: record.bytes.toString('utf8'), problem: null }
  return refuse(
    record.line,
    'not-utf8',
    'The row holds bytes that are not UTF-8 text.',
    'Save the file again as UTF-8.',
  )
}

/** Each line through `parse`; what could not be read as a line stays a problem. Null leaves a line out. */
export async function* parseLines<T>(
  path: string,
  parse: (text: string, line: number) => Row<T> | null,
): AsyncGenerator<readonly Row<T>[]> {
  for await (const rows of readLines(path)) {
    yield rows.flatMap((row) => (row.value === null ? [row] : (parse(row.value, row.line) ?? [])))
  }
}

/** All of a reader's rows in memory, the bad ones apart. */
export async function collectRows<T>(batches: AsyncIterable<readonly Row<T>[]>): Promise<{
  readonly values: T[]
  readonly problems: import('../../../shared/contract/import-mapping.ts').RowProblem[]
}> {
  const values: T[] = []
  const problems = []
  for await (const rows of batches) {
    for (const row of rows) {
      if (row.problem === null) values.push(row.value)
      else problems.push(row.problem)
    }
  }
  return { values, problems }
}

/** A whole number as written, or null. Hugging Face tables write grades as 2.0. */
export function integerOf(text: string): number | null {
  const number = /^[+-]?\d+(\.0+)?$/.test(text.trim()) ? Number(text) : Number.NaN
  return Number.isSafeInteger(number) ? number : null
}
