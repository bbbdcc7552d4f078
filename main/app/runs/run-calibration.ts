// What a reward model's margins on the held-out pairs of its run say of it, and those of several runs together.
import { readMeasuredItems } from '../../base/run-folder/held-out-items.ts'
import type { Output } from '../../../shared/contract.ts'
import { AppError } from '../../../shared/errors.ts'
import { calibrationOf, ensembleOf, type JudgedMargin } from '../../../shared/statistics/calibration.ts'

type Found = Output<'runs.calibration'>

export interface MeasuredRun {
  readonly runId: string
  readonly runFolder: string
  /** The chosen checkpoint's step, and the last. */
  readonly chosen: number | null
  readonly lastStep: number
}

interface MarginsOf {
  readonly ids: readonly string[]
  readonly pairs: readonly JudgedMargin[]
  readonly side: 'test' | 'validation'
  readonly step: number
}

/** The test side under the chosen checkpoint, else under the last; without one the validation side at the end. Ties of the labels are left out. */
function readMargins({ runFolder, chosen, lastStep }: MeasuredRun): MarginsOf | null {
  for (const [side, step] of [
    ['test', chosen ?? lastStep],
    ['test', lastStep],
    ['eval', lastStep],
  ] as const) {
    const found = readMeasuredItems(runFolder, side, step)
    const margins = found?.metrics['rewards/margins']
    const right = found?.metrics['rewards/accuracies']
    if (found === null || margins === undefined || right === undefined) continue
    const told = new Set(right.at)
    const lengths = found.metrics['longer_by']
    const longer = new Map(lengths?.at.map((at, index) => [at, lengths.value[index]!]))
    const kept = margins.at.flatMap((at, index) => (told.has(at) ? [{ at, index }] : []))
    return {
      ids: kept.map(({ at }) => found.ids[at] ?? ''),
      pairs: kept.map(({ at, index }) => ({
        margin: margins.value[index]!,
        weight: margins.weight[index]!,
        cluster: found.clusters[at] ?? '',
        longerBy: longer.get(at) ?? null,
      })),
      side: side === 'test' ? 'test' : 'validation',
      step,
    }
  }
  return null
}

/** @throws AppError `not-found` where a run kept no margins */
export function calibrateRuns(runs: readonly MeasuredRun[]): Found {
  const all = runs.map((run) => ({ run, margins: readMargins(run) }))
  const models = all.flatMap(({ run, margins }) => {
    const found = margins === null ? null : calibrationOf(margins.pairs)
    if (margins === null || found === null)
      throw new AppError({
        code: 'not-found',
        message: `The run ${run.runId} kept no margins of held-out pairs.`,
        hint: 'They are kept at the end of runs on labeled pairs; runs of earlier versions have none.',
      })
    const { bins, byMargin, byLength, ...rest } = found
    const { side, step } = margins
    return [
      {
        runId: run.runId as never,
        side,
        step,
        ...rest,
        bins: [...bins],
        byMargin: [...byMargin],
        byLength: [...byLength],
      },
    ]
  })
  return { models, ensemble: ensembleIn(all.flatMap(({ margins }) => margins ?? [])) }
}

/** Null for one model, and for models that were measured on other pairs. */
function ensembleIn(all: readonly MarginsOf[]): Found['ensemble'] {
  const [first] = all
  if (first === undefined || all.length < 2) return null
  const rows = all.map(({ ids, pairs }) => {
    const places = new Map(ids.map((id, at) => [id, at]))
    return ids.length === first.ids.length ? first.ids.map((id) => pairs[places.get(id) ?? -1]?.margin) : []
  })
  const whole = rows.filter((row): row is number[] => row.length > 0 && row.every((value) => value !== undefined))
  return whole.length < all.length ? null : ensembleOf(whole, first.pairs)
}
