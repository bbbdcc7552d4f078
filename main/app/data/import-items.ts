// Data of every kind but pairs of answers: what a reader gives, item by item, becomes a data set.
import path from 'node:path'
import type { SegmentReading, TextReading } from '../../../shared/contract/import-readings.ts'
import type { DataKind } from '../../../shared/data-kinds.ts'
import type { NewPart } from '../../core/formats/parsed-rows.ts'

export type ItemKind = Exclude<DataKind, 'response-pairs'>

export interface ItemSource {
  readonly kind: ItemKind
  readonly path: string
  readonly texts: TextReading
  readonly segments: SegmentReading
}

/** The parts of a source, in the process that reads strange files. */
export type ReadItems = (source: ItemSource, signal?: AbortSignal) => AsyncIterable<readonly NewPart[]>

/** What a person is asked who looks at an item. */
export const ITEM_QUESTIONS: Readonly<Record<ItemKind, string>> = {
  'unpaired-responses': 'Is this a good answer?',
  'segment-pairs': 'Which of the two behaves better?',
  rankings: 'Which document answers the query better?',
  'contrast-groups': 'Which text is nearer to the query?',
}

/** `set.jsonl.gz` → `set` */
export function nameFromPath(file: string): string {
  const name = path
    .basename(file)
    .replace(/\.gz$/i, '')
    .replace(/\.(jsonl|ndjson|json|csv|tsv|txt|npz|svm|svmlight|letor|parquet)$/i, '')
  return name === '' ? 'data set' : name
}
