import { type DatasetCounts, type DatasetWarning, warnAboutDataset } from '../../shared/dataset-warnings.ts'
import type { DatasetEntry } from '../store/datasets.ts'
import type { ReadableDb } from '../store/open.ts'
import { hashPrompt } from '../store/pair-entry.ts'
import { countSplits, findPairAt } from '../store/pairs.ts'

const EMPTY_PROMPTS: ReadonlySet<string> = new Set([hashPrompt(''), hashPrompt([])])

export function countDataset(db: ReadableDb, { datasetId, kind, pairCount, promptCount }: DatasetEntry): Omit<DatasetCounts, 'split'> {
  const first = findPairAt(db, datasetId, 0)
  return { kind, pairCount, promptCount, firstPromptEmpty: first !== null && EMPTY_PROMPTS.has(first.promptHash) }
}

/** Counted anew at every call: a split can be changed. */
export function readDatasetWarnings(db: ReadableDb, dataset: DatasetEntry): DatasetWarning[] {
  return warnAboutDataset({ ...countDataset(db, dataset), split: countSplits(db, dataset.datasetId) })
}
