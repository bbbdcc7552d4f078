import type { AlgorithmPage } from '../../core/learn/define.ts'
import type { BatchPlan } from '../../core/learn/batch-plan.ts'
import type { CheckpointContents, SavedCheckpoint } from './checkpoint.ts'
import type { Update } from './minimize.ts'
import type { SampleItem } from '../../../shared/contract/runs.ts'

export interface Evaluation {
  /** Under the names they are logged by: `eval/…`, `test/…`. */
  readonly metrics: Readonly<Record<string, number>>
  /** Null where nothing is shown. */
  readonly samples: readonly SampleItem[] | null
  /** Of its time, what went into samples: as many however long the held-out side is. */
  readonly samplingMs?: number
}

/** Part: a fixed share of the held-out side. All: the whole of it. End: the test side too, which is looked at once. */
export type Extent = 'part' | 'all' | 'end'

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
  save(position: Position): Promise<SavedCheckpoint>
}
