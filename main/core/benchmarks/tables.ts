// Tables of rows in the files of a data set folder: JSON lines, JSON, TSV and Parquet, the first three also gzipped.
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { gunzipSync } from 'node:zlib'
import { z } from 'zod'
import { AppError, describeIssues } from '../../../shared/errors.ts'
import { isParquet, parquetLines } from '../formats/parquet.ts'

export type Row = Readonly<Record<string, unknown>>

export interface Table {
  /** From the folder that was given, with `/`. */
  readonly name: string
  readonly rows: readonly Row[]
}

/** @throws AppError `dataset-invalid` naming file and line */
export async function readTable(place: string, name: string): Promise<Table> {
  const file = name === '' ? place : path.join(place, name)
  const shown = name === '' ? path.basename(place) : name
  if (/\.parquet$/i.test(file)) return { name: shown, rows: await readParquet(file) }
  const bytes = readFileSync(file)
  const text = (/\.gz$/i.test(file) ? gunzipSync(bytes) : bytes).toString('utf8').replace(/^\uFEFF/, '')
  if (/\.tsv(?:\.gz)?$/i.test(file)) return { name: shown, rows: readTsv(text) }
  if (/\.json(?:\.gz)?$/i.test(file)) return { name: shown, rows: readJson(text, file) }
  const rows = text.split('\n').flatMap((line, at) => (line.trim() === '' ? [] : [parse(line, file, at + 1) as Row]))
  return { name: shown, rows }
}

/** As imports read it. A file that only bears the name, such as a pointer of Git LFS, is told. */
async function readParquet(file: string): Promise<Row[]> {
  if (!(await isParquet(file)))
    throw new AppError({
      code: 'dataset-invalid',
      message: `${file} cannot be read as Parquet: it does not begin as one.`,
      hint: 'It may be only a pointer to the real file (Git LFS): download it again.',
    })
  const rows: Row[] = []
  for await (const lines of parquetLines(file))
    for (const line of lines.toString('utf8').trimEnd().split('\n')) rows.push(JSON.parse(line) as Row)
  return rows
}

function parse(text: string, file: string, line: number): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new AppError({
      code: 'dataset-invalid',
      message: `${file}, line ${line}, is not JSON: ${(error as Error).message}`, // JSON.parse throws SyntaxError
      hint: 'Each line of such a file is one JSON value.',
      cause: error,
    })
  }
}

/** A list of rows, or columns of lists. */
function readJson(text: string, file: string): Row[] {
  const value = parse(text, file, 1)
  if (Array.isArray(value)) return value as Row[] // looked at by whoever takes a row
  const columns = z.record(z.string(), z.array(z.unknown())).safeParse(value)
  if (!columns.success) return [value as Row] // one row
  const [first = []] = Object.values(columns.data)
  return first.map((_value, at) =>
    Object.fromEntries(Object.entries(columns.data).map(([name, all]) => [name, all[at]])),
  )
}

function readTsv(text: string): Row[] {
  const [head = '', ...lines] = text.split(/\r?\n/)
  const names = head.split('\t')
  return lines.flatMap((line) =>
    line === '' ? [] : [Object.fromEntries(line.split('\t').map((value, at) => [names[at] ?? String(at), value]))],
  )
}

/** A row as a schema has it. @throws AppError `dataset-invalid` naming the table and the row, from 1 */
export function rowAs<T>(schema: z.ZodType<T>, row: Row, table: string, at: number): T {
  const parsed = schema.safeParse(row)
  if (parsed.success) return parsed.data
  throw new AppError({
    code: 'dataset-invalid',
    message: `${table}, row ${at + 1}: ${describeIssues(new z.ZodError(parsed.error.issues.slice(0, 1)))}.`,
    hint: 'The layout is that of the published data set; a row of another form cannot be scored.',
  })
}

/** Numbers as files have them: those that a double cannot hold come as their digits. */
export const anyNumber = z
  .union([z.number(), z.string().regex(/^\s*[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?\s*$/i)])
  .transform(Number)
export const anyId = z.union([z.string(), z.number()]).transform(String)
