import type { ImportMapping, RowProblem } from '../../../shared/contract/import-mapping.ts'
import type { ResponsePair, SplitName } from '../../../shared/data-kinds.ts'
import type { ImportedLabel } from './parsed-rows.ts'
import { indexPair, type ItemEntry } from './item-entry.ts'
import { createIdSet } from './import-ids.ts'
import { createLabelWatch } from './label-watch.ts'
import { readRow, type MappedRow } from './layouts.ts'
import { compileMapping } from './mapping-compile.ts'
import type { SourceRow } from './readers.ts'

/** What some rows of the file became, ready to be written. */
export interface ImportBatch {
  /** Text for records.jsonl. */
  readonly records: string
  readonly pairs: readonly ItemEntry[]
  /** The side that the source gives each of them. */
  readonly sides: readonly (SplitName | null)[]
  readonly labels: readonly ImportedLabel[]
  /** Rows that were read, kept or not. */
  readonly rows: number
  readonly problems: readonly RowProblem[]
}

export interface RowConverter {
  /** Converts a row at once, so that what the file held can be forgotten. @throws AppError when its label shows that earlier ones were misread */
  add(row: SourceRow): void
  /** What came together since the last call. */
  take(): ImportBatch
  readonly waitingRows: number
  readonly waitingLength: number
  readonly counts: { readonly kept: number; readonly rejected: number; readonly warnings: number }
}

const NEWLINE_BYTES = 1

/** Turns rows of the file into records, index rows and labels; numbers them and keeps their ids apart. */
export function createRowConverter(mapping: ImportMapping): RowConverter {
  const compiled = compileMapping(mapping)
  const labels = createLabelWatch(mapping)
  const ids = createIdSet()
  const counts = { kept: 0, rejected: 0, warnings: 0 }
  let batch = emptyBatch()
  let byteOffset = 0

  function pairIdOf(row: MappedRow, problems: RowProblem[]): string {
    if (row.id === null && compiled.id === null) return String(counts.kept)
    if (row.id !== null && ids.add(row.id)) return row.id
    const { line } = row.pair
    const base = row.id === null ? `row ${line}` : `${row.id} (row ${line})`
    let name = base
    for (let copy = 2; !ids.add(name); copy += 1) name = `${base}.${copy}`
    const reason =
      row.id === null
        ? `The row has no ${compiled.id ?? 'id'}; it is called "${name}".`
        : `The id "${row.id.slice(0, 80)}" stands in an earlier row too; this one is called "${name.slice(0, 100)}".`
    problems.push({
      line,
      severity: 'warning',
      code: row.id === null ? 'id-missing' : 'id-repeated',
      reason,
      hint: 'Choose a column with a different value in every row, or none.',
    })
    return name
  }

  function add(source: SourceRow): void {
    batch.rows += 1
    const found: RowProblem[] = source.problem === null ? [] : [source.problem]
    const result = source.problem === null ? readRow(source.values, source.line, labels.see(source)) : null
    if (result !== null) found.push(...result.problems)
    if (result === null || result.row === null) counts.rejected += 1
    else keep(result.row, found)
    counts.warnings += found.filter((problem) => problem.severity === 'warning').length
    batch.problems.push(...found)
  }

  function keep(row: MappedRow, found: RowProblem[]): void {
    const record: ResponsePair = { pairId: pairIdOf(row, found), index: counts.kept, ...row.pair }
    const line = JSON.stringify(record)
    const lengthBytes = Buffer.byteLength(line)
    batch.lines.push(line, '\n')
    batch.length += line.length
    batch.pairs.push(indexPair(record, byteOffset, lengthBytes))
    batch.sides.push(record.split ?? null)
    for (const label of row.labels) batch.labels.push({ pairIndex: record.index, ...label })
    byteOffset += lengthBytes + NEWLINE_BYTES
    counts.kept += 1
  }

  return {
    add,
    take() {
      const { lines, pairs, sides, labels, problems, rows } = batch
      batch = emptyBatch()
      return { records: lines.join(''), pairs, sides, labels, problems, rows }
    },
    get waitingRows() {
      return batch.rows
    },
    get waitingLength() {
      return batch.length
    },
    counts,
  }
}

function emptyBatch(): {
  lines: string[]
  length: number
  pairs: ItemEntry[]
  sides: (SplitName | null)[]
  labels: ImportedLabel[]
  problems: RowProblem[]
  rows: number
} {
  return { lines: [], length: 0, pairs: [], sides: [], labels: [], problems: [], rows: 0 }
}
