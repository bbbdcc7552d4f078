import { type DatasetCounts, type DatasetWarning, warnAboutDataset } from '../../../shared/dataset-warnings.ts'
import type { DatasetEntry } from '../store/datasets.ts'
import type { ReadableDb } from '../store/open.ts'
import { hashPrompt } from '../../core/formats/item-entry.ts'
import { findItemAt } from '../store/items.ts'
import { countSplits } from '../store/sides.ts'
import { inSlices } from '../store/slices.ts'

const EMPTY_PROMPTS: ReadonlySet<string> = new Set([hashPrompt(''), hashPrompt([])])

export function countDataset(
  db: ReadableDb,
  { datasetId, kind, itemCount, promptCount }: DatasetEntry,
): Omit<DatasetCounts, 'split'> {
  const first = findItemAt(db, datasetId, 0)
  return { kind, itemCount, promptCount, firstPromptEmpty: first !== null && EMPTY_PROMPTS.has(first.promptHash) }
}

/** Counted anew at every call: a split can be changed. */
export async function readDatasetWarnings(db: ReadableDb, dataset: DatasetEntry): Promise<DatasetWarning[]> {
  return warnAboutDataset({ ...countDataset(db, dataset), split: await inSlices(countSplits(db, dataset.datasetId)) })
}
