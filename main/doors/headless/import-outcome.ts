import type { DatasetSummary } from '../../../shared/contract/datasets.ts'
import { countMore, type LeftOut } from '../../../shared/contract/import-mapping.ts'
import type { DatasetWarning } from '../../../shared/dataset-warnings.ts'
import { printableLine } from '../../../shared/printable.ts'
import type { Client } from '../../../shared/rpc.ts'
import { formatCount } from '../../../shared/units.ts'

/** What every import says beside its counts, whatever kind of data it read. */
export interface ImportOutcome {
  readonly warnings: readonly DatasetWarning[]
  /** Null where every row was kept. */
  readonly leftOut: LeftOut | null
}

export async function readImportOutcome(
  client: Client,
  { datasetId, rejectedRowCount }: Pick<DatasetSummary, 'datasetId' | 'rejectedRowCount'>,
): Promise<ImportOutcome> {
  return {
    warnings: await client.call('datasets.warnings', { datasetId }),
    leftOut: rejectedRowCount === 0 ? null : await client.call('datasets.leftOut', { datasetId }),
  }
}

export function describeWarnings(warnings: readonly DatasetWarning[]): string[] {
  return warnings.map(({ text, hint }) => `WARNING: ${text}\n  ${hint}`)
}

/** The first rows with line and reason, how often each reason occurs, and where the whole list is. */
export function describeLeftOut(found: LeftOut): string[] {
  const { total, reasons, first, path } = found
  const rows = first.map(({ line, reason }) => `  line ${line}: ${printableLine(reason)}`)
  const more = countMore(found) > 0 ? [`  … and ${formatCount(countMore(found))} more`] : []
  const counts =
    total > 1 || reasons.length > 1
      ? [
          '  By reason:',
          ...reasons.map(
            ({ code, reason, count }) =>
              `    ${formatCount(count)} × ${code}: ${reason.length > 160 ? `${printableLine(reason.slice(0, 159))}…` : printableLine(reason)}`,
          ),
        ]
      : []
  return [
    `Left out, ${formatCount(total)} ${total === 1 ? 'row' : 'rows'}:`,
    ...rows,
    ...more,
    ...counts,
    `  The whole list: ${path}`,
  ]
}

/** An import's answer: what it says in one line, then what must not be missed, then what is next. */
export function describeImport(counts: string, { warnings, leftOut }: ImportOutcome, next: readonly string[]): string {
  return [counts, ...describeWarnings(warnings), ...(leftOut === null ? [] : describeLeftOut(leftOut)), ...next].join(
    '\n',
  )
}
