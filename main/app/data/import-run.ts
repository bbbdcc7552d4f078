import { randomBytes } from 'node:crypto'
import { rm } from 'node:fs/promises'
import path from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { ImportMapping, RowProblem } from '../../../shared/contract/import-mapping.ts'
import type { DatasetId } from '../../../shared/domain.ts'
import {
  DEFAULT_SPLIT,
  draftDataset,
  insertDataset,
  publishDataset,
  setMapping,
  type DatasetEntry,
  type ImportTotals,
} from '../store/datasets.ts'
import { writeDatasetFile } from '../store/datasets-file.ts'
import { datasetFolder, recordsPath, reportPath } from '../store/datasets-folder.ts'
import { syncFolder } from '../../base/files/durable.ts'
import { beginFolder, finishFolder } from '../store/datasets-marks.ts'
import { discardRows, markSplits } from '../store/imports.ts'
import { insertImportedLabels } from '../store/labels.ts'
import { inTransaction, type WritableDb } from '../store/open.ts'
import { insertItems } from '../store/items.ts'
import { createStepSize, type StepSize } from '../store/step-size.ts'
import { createPromptTable, type PromptTable } from './import-split.ts'
import { createAppendFile } from './import-writer.ts'
import type { PairPiece } from '../../core/formats/read-pairs.ts'
import { refuseImport } from './refused-import.ts'
import { keepsSourceSplit, withDrawnSplit } from './split.ts'

export interface ImportPlan {
  readonly datasetId: DatasetId
  readonly path: string
  readonly name: string
  /** What the data set says it came from. */
  readonly source: string
  readonly licence: string | null
  readonly mapping: ImportMapping
}

export interface ImportStatus {
  readonly bytesRead: number
  readonly totalBytes: number
  readonly rowsKept: number
  readonly rowsRejected: number
  readonly warnings: number
}

export interface ImportContext {
  readonly db: WritableDb
  readonly dataFolder: string
  readonly signal: AbortSignal
  /** The file's rows, piece by piece; see read-pairs.ts. */
  readPairs(path: string, mapping: ImportMapping, signal: AbortSignal): AsyncIterable<PairPiece>
  onProgress(status: ImportStatus): void
}

/**
 * Reads a file into a data set. Until the last step nobody sees it; when anything fails, or `signal` ends it, nothing
 * of it stays behind but the report of why no row could be read.
 * @throws AppError, or the signal's reason
 */
export async function runImport(plan: ImportPlan, context: ImportContext): Promise<DatasetEntry> {
  const { db, dataFolder } = context
  const draft = draftOf(plan)
  insertDataset(db, draft)
  try {
    beginFolder(dataFolder, plan.datasetId)
    const totals = await writeRows(plan, context, draft.createdAtMs)
    context.signal.throwIfAborted()
    const dataset = { ...draft, ...totals }
    writeDatasetFile(dataFolder, dataset)
    syncFolder(path.dirname(datasetFolder(dataFolder, plan.datasetId)))
    setMapping(db, plan.datasetId, totals.mapping)
    publishDataset(db, plan.datasetId, totals)
    return dataset
  } catch (error) {
    await removeImport(db, dataFolder, plan.datasetId)
    throw error
  } finally {
    finishFolder(dataFolder, plan.datasetId)
  }
}

function draftOf({ datasetId, name, source, licence, mapping }: ImportPlan): DatasetEntry {
  return draftDataset({
    datasetId,
    name,
    kind: 'response-pairs',
    source,
    licence,
    mapping,
    createdAtMs: Date.now(),
    shownSeed: randomBytes(16).toString('hex'),
  })
}

async function writeRows(
  plan: ImportPlan,
  context: ImportContext,
  createdAtMs: number,
): Promise<ImportTotals & Pick<DatasetEntry, 'mapping'>> {
  const { db, dataFolder } = context
  const records = await createAppendFile(recordsPath(dataFolder, plan.datasetId))
  const report = await createAppendFile(reportPath(dataFolder, plan.datasetId))
  try {
    let counts: PairPiece['counts'] = { kept: 0, rejected: 0, warnings: 0 }
    const prompts = createPromptTable()
    const size = createStepSize()
    for await (const batch of context.readPairs(plan.path, plan.mapping, context.signal)) {
      context.signal.throwIfAborted()
      await records.append(batch.records)
      await report.append(batch.problems.map((problem) => `${JSON.stringify(problem)}\n`).join(''))
      batch.pairs.forEach((pair, at) => prompts.add(pair.promptHash, batch.sides[at] ?? null))
      await insertRows(plan.datasetId, batch, context, createdAtMs, size)
      counts = batch.counts
      context.onProgress({
        bytesRead: batch.bytesRead,
        totalBytes: batch.totalBytes,
        rowsKept: counts.kept,
        rowsRejected: counts.rejected,
        warnings: counts.warnings,
      })
    }
    const { kept, rejected, warnings } = counts
    if (kept === 0) {
      await report.finish()
      throw await refuseImport(dataFolder, reportPath(dataFolder, plan.datasetId), plan.path, null, rejected)
    }
    await inSteps(markSplits(db, plan.datasetId, kept, await prompts.assign(DEFAULT_SPLIT)), context.signal)
    const torn = sayTornPrompts(prompts)
    if (torn !== null) await report.append(`${JSON.stringify(torn)}\n`)
    await report.finish()
    const totals = {
      fingerprint: await records.finish(),
      itemCount: kept,
      promptCount: prompts.promptCount,
      rejectedRowCount: rejected,
      warningCount: warnings + (torn === null ? 0 : 1),
    }
    // A source that names one side alone holds nothing out: the sides are drawn.
    const mapping =
      keepsSourceSplit(plan.mapping) && prompts.givenSides < 2 ? withDrawnSplit(plan.mapping) : plan.mapping
    return { ...totals, mapping }
  } finally {
    await records.close()
    await report.close()
  }
}

async function insertRows(
  datasetId: DatasetId,
  { pairs, labels }: PairPiece,
  { db, dataFolder }: ImportContext,
  createdAtMs: number,
  size: StepSize,
): Promise<void> {
  for (let from = 0, labelAt = 0; from < pairs.length;) {
    const some = pairs.slice(from, from + size.rows)
    const last = some.at(-1)?.index ?? -1
    const labelFrom = labelAt
    while ((labels[labelAt]?.pairIndex ?? Infinity) <= last) labelAt += 1 // in the order of their pairs
    size.step(() =>
      inTransaction(db, () => {
        insertItems(db, datasetId, some)
        insertImportedLabels(db, dataFolder, datasetId, labels.slice(labelFrom, labelAt), createdAtMs)
      }),
    )
    from += some.length
    await nextTurn()
  }
}

/** Prompts that the source has in training and held out alike: kept as given, and said. */
function sayTornPrompts({ torn, promptCount }: PromptTable): RowProblem | null {
  if (torn.firstIndex === null) return null
  return {
    line: torn.firstIndex + 1,
    severity: 'warning',
    code: 'prompt-on-several-sides',
    reason: `${torn.prompts} of ${promptCount} prompts stand on several sides of the source's own split, so held-out numbers will look too good.`,
    hint: 'The sides are kept as the source gives them. To have them drawn so that no prompt is torn, import with --map split=metadata (the name of the column), or split again on the data set’s page.',
  }
}

/** Lets other work in between the steps. */
async function inSteps(steps: Iterable<void>, signal?: AbortSignal): Promise<void> {
  for (const _ of steps) {
    signal?.throwIfAborted()
    await nextTurn()
  }
}

/** Takes every trace of an unpublished data set away: a folder that this very import made. */
async function removeImport(db: WritableDb, dataFolder: string, datasetId: string): Promise<void> {
  await rm(datasetFolder(dataFolder, datasetId), { recursive: true, force: true })
  await inSteps(discardRows(db, datasetId))
}
