import type { AlgorithmPage } from '../../core/learn/define.ts'
import type { BatchPlan } from '../../core/learn/batch-plan.ts'
import type { CheckpointWeights } from '../../core/models/checkpoint-files.ts'
import type { CheckpointContents, SavedCheckpoint } from './checkpoint.ts'
import type { Update } from './minimize.ts'
import type { MeasuredSide, OutcomesByMetric } from '../../base/run-folder/held-out-items.ts'
import type { SampleItem } from '../../../shared/contract/runs.ts'

export interface Evaluation {
  /** Under the names they are logged by: `eval/…`, `test/…`. */
  readonly metrics: Readonly<Record<string, number>>
  /** Null where nothing is shown. */
  readonly samples: readonly SampleItem[] | null
  /** Of its time, what went into samples: as many however long the held-out side is. */
  readonly samplingMs?: number
  /** Of sides that were measured whole, what is behind the means. */
  readonly items?: HeldOutItems
}

export type HeldOutItems = Readonly<Partial<Record<MeasuredSide, OutcomesByMetric>>>

/**
 * Part: a fixed share of the validation side. Choice: the same without anything written anew, for a choice among like
 * measurements. All: the whole of it. End: the test side too. Test: that side alone, of weights that were put back.
 */
export type Extent = 'part' | 'choice' | 'all' | 'end' | 'test'

/**
 * How the last step is set against those before it by a metric. Alike: it is always measured on the very same items. Part:
 * only by `choice`. None: no checkpoint may be chosen by it, since only the test side is there to measure it on.
 */
export type Choice = 'alike' | 'part' | 'none'

export type Position = Omit<CheckpointContents['state'], 'base'>

/**
 * Training on one kind of data, as the loop sees it: items in an order that a seed fixes, updates on them, held-out numbers,
 * checkpoints. Everything that an update depends on is in a checkpoint or drawn from seed and step, so that stopping
 * and going on gives the same numbers as never stopping.
 */
export interface Course {
  readonly algorithm: AlgorithmPage
  readonly plan: BatchPlan
  /** What `work` counts, as the metric of its rate: `tokens_per_sec`, `transitions_per_sec` … */
  readonly rateName: string
  readonly parameterCount: number
  /** Of the weights as they are kept; absent: four for each. */
  readonly weightBytes?: number
  /** Numbers that the optimizer keeps. */
  readonly optimizerCount: number
  /** The items of the batch that takes the most memory. */
  readonly heaviest: readonly number[]
  /** One optimizer update. @param step its number, from 1 */
  update(items: readonly number[], step: number): Promise<Update>
  work(items: readonly number[]): number
  evaluate(step: number, extent: Extent): Promise<Evaluation>
  /** @param metric as it is logged */
  choiceBy(metric: string): Choice
  /** Puts a checkpoint's weights in place of its own, to be measured; nothing is trained after that. @throws AppError */
  restore(checkpoint: CheckpointWeights): void
  save(position: Position): Promise<SavedCheckpoint>
}
