import type { Input } from '../../../shared/contract.ts'
import type { LabelItem, LabelProgress } from '../../../shared/contract/labels.ts'
import { AppError } from '../../../shared/errors.ts'
import type { Handlers } from '../../../shared/rpc.ts'
import { segmentPair } from '../../../shared/segment-pair.ts'
import { wilsonInterval } from '../../../shared/statistics/intervals.ts'
import { createRecordSearch, shownTexts } from '../data/record-search.ts'
import { addAnnotator, listAnnotators, requireAnnotator } from '../store/annotators.ts'
import { writeAnnotatorsFile } from '../store/annotators-file.ts'
import { requireDataset, type DatasetEntry } from '../store/datasets.ts'
import {
  addAnswer,
  drawShownOrder,
  pairIdAt,
  readProgress,
  redoAnswer,
  setFlag,
  undoAnswer,
  type Labeler,
} from '../store/labels.ts'
import { findNext, loadLabelIndex } from '../store/labels-index.ts'
import { countHabits, isFlagged, readCurrent, readHistory, type AnswerRef } from '../store/labels-read.ts'
import { findItemAt, findItemIndexes, requireItem } from '../store/items.ts'
import { openRecords, parseItem, readUnpaired, type RecordReader } from '../store/records.ts'
import type { ItemEntry } from '../../core/formats/item-entry.ts'
import { inSlices } from '../store/slices.ts'
import type { HandlerDeps } from './deps.ts'

type LabelCallName = Extract<keyof Handlers, `annotators.${string}` | `labels.${string}`>

export function labelHandlers(deps: HandlerDeps): Pick<Handlers, LabelCallName> {
  const { db, dataFolder } = deps
  // Only in what is shown: a search in other columns would tell where an answer came from.
  const search = createRecordSearch(dataFolder, shownTexts)
  return {
    'annotators.list': () => listAnnotators(db),
    'annotators.add': ({ name }) => {
      const annotator = addAnnotator(db, name, Date.now())
      writeAnnotatorsFile(db, dataFolder)
      return annotator
    },
    'labels.queue': async ({ exclude, filter, ...query }) => {
      requireBoth(deps, query)
      const text = filter.search.trim()
      const holding = text === '' ? null : await search.find(query.datasetId, text)
      await loadLabelIndex(db, query.datasetId)
      const dataset = requireBoth(deps, query) // it may have gone meanwhile
      const found = findNext(db, {
        ...query,
        only: filter.only,
        found: holding,
        exclude: new Set(findItemIndexes(db, query.datasetId, exclude)),
      })
      const pairs = found.indexes.map((index) => findItemAt(db, query.datasetId, index)).filter((pair) => pair !== null)
      return { items: readItems(deps, dataset, query.annotatorId, pairs), matching: found.matching }
    },
    'labels.item': ({ pairId, ...labeler }) => {
      const dataset = requireBoth(deps, labeler)
      const records = openRecords(dataFolder, labeler.datasetId)
      try {
        return readItem(deps, dataset, labeler.annotatorId, requireItem(db, labeler.datasetId, pairId), records)
      } finally {
        records.close()
      }
    },
    'labels.add': async (answer) => {
      refuseComparison(requireBoth(deps, answer), answer)
      await loadLabelIndex(db, answer.datasetId)
      const labelId = addAnswer(db, dataFolder, answer, Date.now())
      tellChange(deps, answer)
      return { labelId, progress: readProgress(db, answer) }
    },
    'labels.undo': async (labeler) => {
      await loadLabelIndex(db, labeler.datasetId)
      return changed(deps, labeler, undoAnswer(db, dataFolder, labeler, Date.now()))
    },
    'labels.redo': async (labeler) => {
      await loadLabelIndex(db, labeler.datasetId)
      return changed(deps, labeler, redoAnswer(db, dataFolder, labeler, Date.now()))
    },
    'labels.flag': async ({ pairId, flagged, ...labeler }) => {
      await loadLabelIndex(db, labeler.datasetId)
      setFlag(db, dataFolder, labeler, pairId, flagged, Date.now())
      tellChange(deps, labeler)
      return readProgress(db, labeler)
    },
    'labels.progress': async (labeler) => {
      requireBoth(deps, labeler)
      await loadLabelIndex(db, labeler.datasetId)
      return readProgress(db, labeler)
    },
    'labels.history': ({ limit, offset, ...labeler }) => {
      requireBoth(deps, labeler)
      return inSlices(readHistory(db, labeler.datasetId, labeler.annotatorId, limit, offset))
    },
    'labels.habits': async (labeler) => {
      requireBoth(deps, labeler)
      const habits = await inSlices(countHabits(db, labeler.datasetId, labeler.annotatorId))
      return { left: withInterval(habits.left), longer: withInterval(habits.longer) }
    },
  }
}

function requireBoth(deps: HandlerDeps, labeler: Labeler): DatasetEntry {
  requireAnnotator(deps.db, labeler.annotatorId)
  return requireDataset(deps.db, labeler.datasetId)
}

/** Of one answer alone nothing can be said that compares it. */
function refuseComparison(
  { kind, name }: DatasetEntry,
  { outcome, strength }: Pick<Input<'labels.add'>, 'outcome' | 'strength'>,
): void {
  if (
    kind !== 'unpaired-responses' ||
    ((outcome === 'a' || outcome === 'b' || outcome === 'skip') && strength === null)
  )
    return
  throw new AppError({
    code: 'input-invalid',
    message: `"${name}" holds single answers: each is good or bad, and none is better than another.`,
    hint: 'Say a for good, b for bad, or skip, without a strength.',
  })
}

function readItems(
  deps: HandlerDeps,
  dataset: DatasetEntry,
  annotatorId: string,
  pairs: readonly ItemEntry[],
): LabelItem[] {
  if (pairs.length === 0) return []
  const records = openRecords(deps.dataFolder, dataset.datasetId)
  try {
    return pairs.map((pair) => readItem(deps, dataset, annotatorId, pair, records))
  } finally {
    records.close()
  }
}

/** Blind: nothing of where a completion came from, nor what others answered, leaves here. */
function readItem(
  deps: HandlerDeps,
  dataset: DatasetEntry,
  annotatorId: string,
  pair: ItemEntry,
  records: RecordReader,
): LabelItem {
  return {
    pairId: pair.pairId,
    index: pair.index,
    ...readShown(dataset, pair, records),
    shownOrder: dataset.kind === 'unpaired-responses' ? 'ab' : drawShownOrder(dataset, annotatorId, pair.pairId),
    current: readCurrent(deps.db, dataset.datasetId, annotatorId, pair.index),
    flagged: isFlagged(deps.db, dataset.datasetId, annotatorId, pair.index),
  }
}

type Shown = Pick<LabelItem, 'prompt' | 'a' | 'b' | 'segments'>

function readShown({ kind }: DatasetEntry, pair: ItemEntry, records: RecordReader): Shown {
  if (kind === 'segment-pairs') return readSegments(pair, records)
  if (kind !== 'unpaired-responses') return readTexts(pair, records)
  const { prompt, completion } = readUnpaired(records, pair).data
  return { prompt, a: completion, b: null, segments: null }
}

function readTexts(pair: ItemEntry, records: RecordReader): Shown {
  const { prompt, a, b } = records.read(pair)
  return { prompt, a, b, segments: null }
}

/** What was done and how it looked. */
function readSegments(pair: ItemEntry, records: RecordReader): Shown {
  const item = parseItem(records.readLine(pair))
  const parsed = segmentPair.safeParse(typeof item === 'string' ? null : item.data)
  if (!parsed.success)
    throw new AppError({
      code: 'dataset-invalid',
      message: `Pair ${pair.index + 1} of this data set cannot be read.`,
      hint: 'The file was changed after it was written. Put a copy back, or make the data set again.',
    })
  const { world, a, b } = parsed.data
  return {
    prompt: '',
    a: '',
    b: '',
    segments: { world, a: { qpos: a.qpos, actions: a.actions }, b: { qpos: b.qpos, actions: b.actions } },
  }
}

function changed(
  deps: HandlerDeps,
  labeler: Labeler,
  target: AnswerRef | null,
): { progress: LabelProgress; pairId: string | null; index: number | null } {
  if (target !== null) tellChange(deps, labeler)
  return {
    progress: readProgress(deps.db, labeler),
    pairId: target === null ? null : pairIdAt(deps.db, labeler.datasetId, target.pairIndex),
    index: target?.pairIndex ?? null,
  }
}

function tellChange(deps: HandlerDeps, labeler: Labeler): void {
  deps.events.emit('labels.changed', { datasetId: labeler.datasetId, annotatorId: labeler.annotatorId })
}

function withInterval(count: { readonly wins: number; readonly n: number }): {
  wins: number
  n: number
  low: number | null
  high: number | null
} {
  return count.n === 0 ? { ...count, low: null, high: null } : { ...count, ...wilsonInterval(count.wins, count.n) }
}
