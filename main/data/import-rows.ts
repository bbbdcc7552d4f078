import type { ImportMapping, RowProblem } from '../../shared/contract/datasets.ts'
import type { ResponsePair } from '../../shared/data-kinds.ts'
import type { ImportedLabel } from '../store/labels.ts'
import { indexPair, type PairEntry } from '../store/pairs.ts'
import { createIdSet } from './import-ids.ts'
import { readRow, type MappedRow } from './layouts.ts'
import { compileMapping } from './mapping-compile.ts'
import type { SourceRow } from './readers.ts'

/** What one slice of the file's rows becomes, ready to be written. */
export interface ImportBatch {
  /** Lines for records.jsonl. */
  readonly records: Buffer
  readonly pairs: readonly PairEntry[]
  readonly labels: readonly ImportedLabel[]
  readonly problems: readonly RowProblem[]
}

export interface RowConverter {
  /** @param byteOffset where the batch's first record will lie */
  convert(rows: readonly SourceRow[], byteOffset: number): ImportBatch
  readonly counts: { readonly kept: number; readonly rejected: number; readonly warnings: number }
}

const NEWLINE_BYTES = 1

/** Turns rows of the file into records, index rows and labels; numbers them and keeps their ids apart. */
export function createRowConverter(mapping: ImportMapping): RowConverter {
  const compiled = compileMapping(mapping)
  const ids = createIdSet()
  const counts = { kept: 0, rejected: 0, warnings: 0 }

  function pairIdOf(row: MappedRow, problems: RowProblem[]): string {
    if (row.id === null && compiled.id === null) return String(counts.kept)
    if (row.id !== null && ids.add(row.id)) return row.id
    const { line } = row.pair
    const base = row.id === null ? `row ${line}` : `${row.id} (row ${line})`
    let name = base
    for (let copy = 2; !ids.add(name); copy += 1) name = `${base}.${copy}`
    const reason = row.id === null ? `The row has no ${compiled.id ?? 'id'}; it is called "${name}".` : `The id "${row.id.slice(0, 80)}" stands in an earlier row too; this one is called "${name.slice(0, 100)}".`
    problems.push({ line, severity: 'warning', code: row.id === null ? 'id-missing' : 'id-repeated', reason, hint: 'Choose a column with a different value in every row, or none.' })
    return name
  }

  function convert(rows: readonly SourceRow[], byteOffset: number): ImportBatch {
    const lines: Buffer[] = []
    const pairs: PairEntry[] = []
    const labels: ImportedLabel[] = []
    const problems: RowProblem[] = []
    let offset = byteOffset
    for (const source of rows) {
      const result = source.problem === null ? readRow(source.values, source.line, compiled) : { row: null, problems: [source.problem] }
      problems.push(...result.problems)
      if (result.row === null) {
        counts.rejected += 1
        continue
      }
      const record: ResponsePair = { pairId: pairIdOf(result.row, problems), index: counts.kept, ...result.row.pair }
      const line = Buffer.from(`${JSON.stringify(record)}\n`)
      lines.push(line)
      pairs.push(indexPair(record, offset, line.length - NEWLINE_BYTES))
      for (const label of result.row.labels) labels.push({ pairIndex: record.index, ...label })
      offset += line.length
      counts.kept += 1
    }
    counts.warnings += problems.filter((problem) => problem.severity === 'warning').length
    return { records: Buffer.concat(lines), pairs, labels, problems }
  }

  return { convert, counts }
}
