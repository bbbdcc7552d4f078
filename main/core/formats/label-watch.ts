import type { ImportMapping } from '../../../shared/contract/import-mapping.ts'
import { AppError } from '../../../shared/errors.ts'
import { readingsFor, tallyRow } from './label-decide.ts'
import { createLabelTally } from './label-tally.ts'
import { canonicalValue, isNoLabel } from './label-words.ts'
import { readLabelValue } from './layouts-labels.ts'
import { cellOf, compileMapping, type CompiledMapping } from './mapping-compile.ts'
import type { SourceRow } from './readers.ts'

/** Looks at every label of an import: a value that comes late must not have been meant otherwise all along. */
export interface LabelWatch {
  /** The mapping to read the row with. @throws AppError `input-invalid` when the row shows that earlier ones were misread */
  see(row: SourceRow): CompiledMapping
}

/** Rows kept to look at again; the meaning of values depends on their set, not on every row. */
const KEPT_ROWS = 200

/**
 * A reading that the file's first rows settled is a promise about all of them. A value outside of it either fits in (0 beside
 * 1 and 2 is a tie where the sides are numbered so), or is a mistake of its row, or says that the promise was wrong.
 */
export function createLabelWatch(mapping: ImportMapping): LabelWatch {
  let compiled = compileMapping(mapping)
  if (mapping.labelsSaidBy === 'person' || compiled.labels.length === 0 || !compiled.labelsAreKnown)
    return { see: () => compiled }
  const tally = createLabelTally()
  const rows: SourceRow[] = []

  function adapt(row: SourceRow): void {
    const found = readingsFor(tally, compiled, [...rows, row])
    const [only] = found.readings
    if (found.doubt !== '' || only === undefined) {
      if (tally.values.size === 1) return // nothing was read differently before
      throw lateValue(row, found.doubt)
    }
    const next = compileMapping({ ...mapping, labelValues: only.values, labelScale: only.scale })
    const changed = [...tally.values.keys()].some((value) => {
      const before = readLabelValue(value, {}, compiled)
      return before !== null && before.outcome !== readLabelValue(value, {}, next)?.outcome
    })
    if (changed) throw lateValue(row, 'the values before it would mean something else')
    compiled = next
  }

  function lateValue(row: SourceRow, doubt: string): AppError {
    const columns = compiled.labels.map(({ column }) => column)
    const late = columns
      .map((column) => (row.values === null ? undefined : cellOf(row.values, column)))
      .find((value) => !isNoLabel(value) && readLabelValue(value, row.values ?? {}, compiled) === null)
    return new AppError({
      code: 'input-invalid',
      message: `Line ${row.line}: ${columns.join(', ')} holds ${canonicalValue(late) ?? 'a value'}, and earlier rows were read as "${mapping.labelWords}": ${doubt}.`,
      hint: 'Say what the values mean: --values "0=a,1=b,2=tie", or --scale 1..7 --direction low-is-first. On the page, fill in the values below the columns.',
    })
  }

  return {
    see(row) {
      if (row.values === null) return compiled
      const { values } = row
      tallyRow(tally, values, row.line, compiled)
      const isUnread = compiled.labels.some(({ column }) => {
        const value = cellOf(values, column)
        return !isNoLabel(value) && readLabelValue(value, values, compiled) === null
      })
      if (isUnread) adapt(row)
      if (rows.length < KEPT_ROWS) rows.push(row)
      return compiled
    },
  }
}
