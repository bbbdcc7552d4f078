import { createBatchPlan, type BatchPlan, type BatchPlanState } from '../../core/learn/batch-plan.ts'
import type { Checkpoint } from '../../core/models/checkpoint-files.ts'
import type { RunSpec } from '../../../shared/run-spec.ts'

/** The order of a run's items, begun by its seed, or gone on with as a checkpoint left it. @param lengths of each item, in what takes memory   @param mixed whatever their lengths */
export function openPlan(
  lengths: readonly number[],
  { training, seed }: Pick<RunSpec, 'training' | 'seed'>,
  from: Checkpoint | null,
  mixed = false,
): BatchPlan {
  return createBatchPlan(
    { lengths, batchSize: training.batchSize, seed, mixed },
    from === null ? undefined : (from.state.plan as unknown as BatchPlanState),
  ) // written by plan.state()
}
