// Looking through judged lists: queries with the documents that were judged for them.
import { closeSync, openSync, readSync, statSync } from 'node:fs'
import type { JudgedRow } from '../../../shared/contract/rankings.ts'
import { extraRecord } from '../../../shared/data-kinds.ts'
import { AppError } from '../../../shared/errors.ts'
import { rankingDocument, rankingItem } from '../../../shared/rankings.ts'
import type { DatasetEntry } from '../store/datasets.ts'
import { recordsPath } from '../store/datasets-folder.ts'
import type { ReadableDb } from '../store/open.ts'
import { findItemAt } from '../store/items.ts'
import { openRecords, parseItem } from '../store/records.ts'

const TEXT_LENGTH = 400

interface Shown {
  readonly title: string
  readonly text: string
}

export interface RankingBrowser {
  read(dataset: DatasetEntry, offset: number, limit: number): { total: number; documents: number; rows: JudgedRow[] }
}

export function createRankingBrowser(db: ReadableDb, dataFolder: string): RankingBrowser {
  /** Of the data set that was looked at last. */
  let kept: { readonly fingerprint: string; readonly documents: ReadonlyMap<string, Shown> } | null = null

  function documentsOf(dataset: DatasetEntry): ReadonlyMap<string, Shown> {
    const last = findItemAt(db, dataset.datasetId, dataset.itemCount - 1)
    if (kept?.fingerprint !== dataset.fingerprint)
      kept = {
        fingerprint: dataset.fingerprint,
        documents:
          last === null
            ? new Map()
            : readDocuments(recordsPath(dataFolder, dataset.datasetId), last.byteOffset + last.byteLength + 1),
      }
    return kept.documents
  }

  return {
    read(dataset, offset, limit) {
      const documents = documentsOf(dataset)
      const records = openRecords(dataFolder, dataset.datasetId)
      try {
        const rows: JudgedRow[] = []
        for (let index = offset; index < Math.min(dataset.itemCount, offset + limit); index += 1) {
          const entry = findItemAt(db, dataset.datasetId, index)
          if (entry === null) continue
          const item = parseItem(records.readLine(entry))
          const data = typeof item === 'string' ? null : rankingItem.safeParse(item.data)
          if (typeof item === 'string' || data?.success !== true)
            throw new AppError({
              code: 'dataset-invalid',
              message: `Query ${index + 1} of ${recordsPath(dataFolder, dataset.datasetId)} cannot be read.`,
              hint: 'The file was changed after it was written. Put a copy back, or import it again.',
            })
          const judged: readonly (readonly [string, number])[] =
            data.data.kind === 'query'
              ? data.data.judgments
              : data.data.docIds.map((docId, at) => [docId, (data.data as { grades: number[] }).grades[at]!] as const) // a list of features has a grade for each
          rows.push({
            index,
            queryId: item.pairId,
            text: data.data.kind === 'query' ? data.data.text : '',
            split: item.split,
            judgments: judged
              .map(([docId, grade]) => ({
                docId,
                grade,
                title: documents.get(docId)?.title ?? null,
                text: documents.get(docId)?.text ?? null,
              }))
              .sort((a, b) => b.grade - a.grade || (a.docId < b.docId ? -1 : 1)),
          })
        }
        return { total: dataset.itemCount, documents: documents.size, rows }
      } finally {
        records.close()
      }
    },
  }
}

/** The lines that follow the items, each document's text cut to what a list shows. */
function readDocuments(file: string, start: number): Map<string, Shown> {
  const size = statSync(file).size
  const documents = new Map<string, Shown>()
  const handle = openSync(file, 'r')
  try {
    let rest = Buffer.alloc(0)
    const buffer = Buffer.alloc(1024 * 1024)
    for (let position = start; position < size;) {
      const count = readSync(handle, buffer, 0, buffer.length, position)
      if (count === 0) break
      position += count
      const whole = Buffer.concat([rest, buffer.subarray(0, count)])
      let from = 0
      for (let at = whole.indexOf(10); at >= 0; at = whole.indexOf(10, from)) {
        const extra = extraRecord.safeParse(JSON.parse(whole.toString('utf8', from, at)))
        const document =
          extra.success && extra.data.extra === 'document' ? rankingDocument.safeParse(extra.data.data) : null
        if (document?.success === true)
          documents.set(document.data.docId, {
            title: document.data.title,
            text: [...document.data.text].slice(0, TEXT_LENGTH).join(''),
          })
        from = at + 1
      }
      rest = whole.subarray(from)
    }
  } finally {
    closeSync(handle)
  }
  return documents
}
