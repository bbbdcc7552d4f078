// Looking through texts: what belongs together, what does not, and lines of text.
import type { z } from 'zod'
import { contrastData, type ContrastData } from '../../../shared/data-kinds.ts'
import type { textCalls, TextRow } from '../../../shared/contract/texts.ts'
import { AppError } from '../../../shared/errors.ts'
import type { DatasetEntry } from '../store/datasets.ts'
import { findItemAt } from '../store/items.ts'
import type { ReadableDb } from '../store/open.ts'
import { parseItem, type RecordReader } from '../store/records.ts'
import type { Sliced } from '../store/slices.ts'
import { createItemSearch } from './record-search.ts'
import { readPage, selectItems } from './select-items.ts'

type RowsOutput = z.infer<(typeof textCalls)['texts.rows']['output']>
type RowsQuery = z.output<(typeof textCalls)['texts.rows']['input']>

export interface TextBrowser {
  /** @throws AppError `input-invalid` for another kind, `dataset-invalid`; `cancelled` when a newer search overtook this one */
  readRows(asked: RowsQuery, dataset: DatasetEntry): Promise<RowsOutput>
}

export function createTextBrowser(db: ReadableDb, dataFolder: string): TextBrowser {
  const search = createItemSearch(dataFolder, (item) => {
    const data = contrastData.safeParse(item.data)
    return [item.pairId, ...(data.success ? textsOf(data.data) : [])]
  })

  function* rowsAt(
    { datasetId, name }: DatasetEntry,
    page: readonly number[],
    records: RecordReader,
  ): Sliced<TextRow[]> {
    const rows: TextRow[] = []
    for (const index of page) {
      const entry = findItemAt(db, datasetId, index)
      if (entry === null) continue
      const item = parseItem(records.readLine(entry))
      const data = typeof item === 'string' ? null : contrastData.safeParse(item.data)
      if (data?.success !== true)
        throw new AppError({
          code: 'dataset-invalid',
          message: `Item ${index + 1} of "${name}" cannot be read.`,
          hint: 'The file was changed after it was written. Put a copy back, or import it again.',
        })
      rows.push({ index, itemId: entry.pairId, line: entry.line, split: entry.split, data: data.data })
      yield
    }
    return rows
  }

  return {
    async readRows(asked, dataset) {
      if (dataset.kind !== 'contrast-groups')
        throw new AppError({
          code: 'input-invalid',
          message: `"${dataset.name}" holds ${dataset.kind}, not texts.`,
          hint: 'Open it as what it is.',
        })
      const places = await selectItems(db, asked, dataset.itemCount, search)
      return readPage(dataFolder, dataset, places, asked, (page, records) => rowsAt(dataset, page, records))
    },
  }
}

function textsOf(data: ContrastData): string[] {
  if (data.form === 'text') return [data.text]
  return data.form === 'scored-pair' ? [data.first, data.second] : [data.query, data.positive, ...data.negatives]
}
