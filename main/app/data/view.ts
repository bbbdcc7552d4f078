import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import path from 'node:path'
import { AppError } from '../../../shared/errors.ts'
import type { DataSpec } from '../../../shared/run-spec.ts'
import { requireDataset, type DatasetEntry } from '../store/datasets.ts'
import { recordsPath, viewsFolder } from '../store/datasets-folder.ts'
import { moveDurably } from '../../base/files/durable.ts'
import { eachPairWithAnswers } from '../store/labels-read.ts'
import type { ReadableDb } from '../store/open.ts'
import { openRecords } from '../store/records.ts'
import { countSplits } from '../store/sides.ts'
import { inSlices } from '../store/slices.ts'
import { withSnapshot } from '../store/snapshot.ts'
import { cutValidation } from './cut-validation.ts'
import { drawSides } from './draw-sides.ts'
import { createAppendFile } from './import-writer.ts'
import { reduceLabels } from './reduce-labels.ts'
import { answerRows } from './view-answers.ts'
import { itemRows } from './view-items.ts'
import type { Rows, Source, Totals, ViewUse } from './view-rows.ts'
import { drewOthers, keepsSourceSplit } from './split.ts'
import { writeLines } from './write-lines.ts'

/** What there is to train on: what a view holds, or would hold. */
export interface ViewContent {
  /** Of the records. */
  readonly fingerprint: string
  readonly datasetName: string
  /** Pairs by side: those with a preference, and those whose answers are both bad where they are wanted. */
  readonly counts: { readonly train: number; readonly validation: number; readonly test: number }
  /** How many of the validation side were cut from the training side, since the data set has none to validate on. */
  readonly cutCount: number
  /** Labels behind those pairs. */
  readonly labelCount: number
  /** Share of the pairs with a preference for which it is exactly ½; null when there are none. */
  readonly tieShare: number | null
  /** Pairs left out: nobody chosen has labeled them, or only skipped. */
  readonly unlabeledCount: number
  /** Pairs whose every label that counts says both are bad: in `counts` where they are wanted, else left out. */
  readonly bothBadCount: number
  /** Answers that stand alone and are left out because they are bad, and the method imitates. */
  readonly badLeftOut: number
  /** On the training side, for methods that judge each answer by itself: a comparison gives one of each, by its label an answer that stands alone a part of either. */
  readonly examples: { readonly desirable: number; readonly undesirable: number }
  /** Whether one of the first rows lacks the rewards that come from columns of the file. */
  readonly lacksRewards: boolean
}

/** A frozen file of PreferenceRow lines, and what is in it. */
export interface View extends ViewContent {
  readonly viewPath: string
  /** sha256 of the file's bytes: records, labels and split together. */
  readonly viewHash: string
}

/**
 * Writes what a trainer reads: every pair with a preference in force, its labels reduced to one soft preference, its
 * side of the split. The file is named after its content and never changes, so that later labels leave a run alone.
 * It is made in slices, from the database as it is at the start.
 * @throws AppError `not-found`, `dataset-invalid` when no pair has a label that counts
 */
export function buildView(
  db: ReadableDb,
  dataFolder: string,
  spec: DataSpec,
  use: ViewUse = { bothBad: false },
): Promise<View> {
  return withRows({ db, dataFolder, spec, use, mode: 'rows' }, async (dataset, rows, totals) => {
    const folder = viewsFolder(dataFolder, spec.datasetId)
    mkdirSync(folder, { recursive: true })
    const temporary = path.join(folder, `.${process.pid}-${randomBytes(6).toString('hex')}.tmp`)
    const output = await createAppendFile(temporary)
    try {
      await writeLines(output, asLines(rows))
      const content = contentOf(dataset, spec, totals)
      const viewHash = await output.finish()
      const viewPath = path.join(folder, `${viewHash}.jsonl`)
      if (!existsSync(viewPath)) moveDurably(temporary, viewPath)
      return { ...content, viewPath, viewHash }
    } finally {
      await output.close()
      await rm(temporary, { force: true })
    }
  })
}

/** What a view would hold, without writing one: a look at what could be trained costs no disk. @throws as `buildView` */
export function countView(
  db: ReadableDb,
  dataFolder: string,
  spec: DataSpec,
  use: ViewUse = { bothBad: false },
): Promise<ViewContent> {
  return withRows({ db, dataFolder, spec, use, mode: 'count' }, async (dataset, rows, totals) => {
    await inSlices(
      (function* () {
        for (const _ of rows) yield
      })(),
    )
    return contentOf(dataset, spec, totals)
  })
}

interface Wanted {
  readonly db: ReadableDb
  readonly dataFolder: string
  readonly spec: DataSpec
  readonly use: ViewUse
  readonly mode: 'rows' | 'count'
}

function withRows<T>(
  { db, dataFolder, spec, use, mode }: Wanted,
  work: (dataset: DatasetEntry, rows: Rows, totals: Totals) => Promise<T>,
): Promise<T> {
  return withSnapshot(db, async (snapshot) => {
    const dataset = requireDataset(snapshot, spec.datasetId)
    // Sides of the source stay; sides that are drawn are drawn as the run asks.
    const drawn = keepsSourceSplit(dataset.mapping) ? null : await drawSides(snapshot, spec.datasetId, spec.split)
    const others = drewOthers(dataset.mapping)
    const asSplit: Source['sideOf'] = (pair, given = null) =>
      (others ? null : given) ?? (drawn === null ? pair.split : drawn(pair.index))
    const records = openRecords(dataFolder, spec.datasetId)
    const rowsWith = (sideOf: Source['sideOf'], totals: Totals, reading: Wanted['mode']): Rows => {
      const source = { db: snapshot, spec, use, sideOf, records, totals }
      if (dataset.kind === 'response-pairs') return preferenceRows(source, reading)
      if (dataset.kind === 'unpaired-responses') return answerRows(source)
      return itemRows(source, recordsPath(dataFolder, spec.datasetId))
    }
    try {
      const cut =
        use.validates === true && !(await hasValidation(snapshot, spec, drawn !== null))
          ? await cutValidation(spec, (tell) =>
              rowsWith(
                (pair, given) => {
                  const side = asSplit(pair, given)
                  tell({ promptHash: pair.promptHash, side })
                  return side
                },
                noTotals(),
                'count',
              ),
            )
          : null
      const totals = noTotals()
      const rows = rowsWith(
        (pair, given) => {
          const side = asSplit(pair, given)
          if (cut === null || side !== 'train' || !cut.has(pair.promptHash)) return side
          totals.cut += 1
          return 'validation'
        },
        totals,
        mode,
      )
      try {
        return await work(dataset, rows, totals)
      } finally {
        rows.return(undefined)
      }
    } finally {
      records.close()
    }
  })
}

/** A look that costs little, before everything is gone over: sides that are drawn have the share that is asked for. */
async function hasValidation(db: ReadableDb, { datasetId, split }: DataSpec, isDrawn: boolean): Promise<boolean> {
  const inSource = (await inSlices(countSplits(db, datasetId))).validation > 0
  return inSource && (!isDrawn || split.validation > 0)
}

function noTotals(): Totals {
  return {
    counts: { train: 0, validation: 0, test: 0 },
    cut: 0,
    labels: 0,
    preferred: 0,
    ties: 0,
    unlabeled: 0,
    bothBad: 0,
    badLeftOut: 0,
    desirable: 0,
    undesirable: 0,
    lacksRewards: false,
  }
}

function contentOf(
  dataset: DatasetEntry,
  spec: DataSpec,
  {
    counts,
    cut,
    labels,
    ties,
    unlabeled,
    bothBad,
    badLeftOut,
    desirable,
    undesirable,
    preferred,
    lacksRewards,
  }: Totals,
): ViewContent {
  if (counts.train + counts.validation + counts.test === 0) {
    const what = dataset.kind === 'unpaired-responses' ? 'answer' : 'pair'
    const from = spec.annotators.length > 0 ? ` from ${spec.annotators.join(', ')}` : ''
    throw new AppError({
      code: 'dataset-invalid',
      message:
        badLeftOut > 0
          ? `No answer of "${dataset.name}" is called good${from}, and there is nothing else to imitate.`
          : `No ${what} of "${dataset.name}" has a label that counts${from}.`,
      hint: `Label some ${what}s first, or choose other annotators.`,
    })
  }
  return {
    fingerprint: dataset.fingerprint,
    datasetName: dataset.name,
    counts,
    cutCount: cut,
    labelCount: labels,
    tieShare: preferred === 0 ? null : ties / preferred,
    unlabeledCount: unlabeled,
    bothBadCount: bothBad,
    badLeftOut,
    examples: { desirable, undesirable },
    lacksRewards,
  }
}

function* asLines(rows: Rows): Generator<string> {
  for (const row of rows) yield row === null ? '' : JSON.stringify(row)
}

/** Rows whose reward columns are looked at; the trainer checks them all. */
const HEAD_ROWS = 200

function* preferenceRows({ db, spec, use, sideOf, records, totals }: Source, mode: 'rows' | 'count'): Rows {
  let read = 0
  for (const { pair, answers } of eachPairWithAnswers(db, spec.datasetId, spec.annotators)) {
    const reduced = reduceLabels(answers, spec.aggregation)
    if (reduced.kind === 'both-bad') totals.bothBad += 1
    if (reduced.kind === 'none') totals.unlabeled += 1
    if (reduced.kind === 'none' || (reduced.kind === 'both-bad' && !use.bothBad)) {
      yield null
      continue
    }
    const split = sideOf(pair)
    const { labelCount } = reduced
    const { preferenceA, strength } = reduced.kind === 'preference' ? reduced : { preferenceA: null, strength: 1 }
    totals.counts[split] += 1
    totals.labels += labelCount
    if (preferenceA !== null) totals.preferred += 1
    if (split === 'train') {
      totals.desirable += preferenceA === null ? 0 : 1
      totals.undesirable += preferenceA === null ? 2 : 1
    }
    if (preferenceA === 0.5) totals.ties += 1
    if (mode === 'count' && read >= HEAD_ROWS) {
      yield null
      continue
    }
    read += 1
    const { prompt, a, b, weight, rewardA, rewardB } = records.read(pair)
    if (read <= HEAD_ROWS && (rewardA === null || rewardB === null)) totals.lacksRewards = true
    yield { pairId: pair.pairId, split, prompt, a, b, preferenceA, strength, weight, rewardA, rewardB, labelCount }
  }
}
