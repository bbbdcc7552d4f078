import type { Optimizer } from '../../../core/learn/optimizer.ts'
import type { CheckpointState } from '../../../core/models/checkpoint-files.ts'
import { peftName } from '../../../core/models/peft.ts'
import type { TensorToWrite } from '../../../core/models/write.ts'
import { keepBase, saveCheckpoint, type SavedCheckpoint } from '../checkpoint.ts'
import type { Position } from '../course.ts'
import type { RankingScorer } from './ranking-scorer.ts'

/**
 * Writes checkpoints of a ranker: all weights; or, beside a frozen network, its adapters and its head alone. That network is
 * written into the run's folder once where it was made for this run.
 * @param note what earlier checkpoints of this run say of it
 */
export function createRankerSaver(
  runFolder: string,
  scorer: RankingScorer,
  optimizer: Optimizer,
  note: CheckpointState['base'],
): (position: Position) => Promise<SavedCheckpoint> {
  const { base = null } = scorer
  let kept = note ?? base?.note ?? null
  const weightsOf = (names: readonly string[], nameOf: (name: string) => string): Record<string, TensorToWrite> =>
    Object.fromEntries(
      names.map((name) => [
        nameOf(name),
        { shape: scorer.shapes[name]!, read: async () => (await scorer.read(name)).data }, // of its own names
      ]),
    )
  const common = {
    ...scorer.files,
    optimizer: Object.fromEntries(
      Object.entries(optimizer.shapes).map(([name, shape]): [string, TensorToWrite] => [
        name,
        { shape, read: () => optimizer.read(name) },
      ]),
    ),
  }
  return async (position) => {
    if (base === null)
      return saveCheckpoint(runFolder, {
        ...common,
        adapter: null,
        weights: weightsOf(Object.keys(scorer.shapes), (name) => name),
        state: { ...position, base: null },
      })
    kept ??= await keepBase(runFolder, {
      ...scorer.files,
      weights: Object.fromEntries(
        Object.entries(base.shapes).map(([name, shape]): [string, TensorToWrite] => [
          name,
          { shape, read: () => base.source.read(name).data },
        ]),
      ),
    })
    return saveCheckpoint(runFolder, {
      ...common,
      adapter: base.adapterConfig(kept.path),
      weights: weightsOf(Object.keys(scorer.variables), peftName),
      state: { ...position, base: kept },
    })
  }
}
