import { variableGradients } from '../../../core/learn/gradients.ts'
import { stagedGradients, stagedVectors } from '../../../core/learn/models/pieces.ts'
import type { Random } from '../../../core/learn/random.ts'
import {
  sublist,
  type RankingAlgorithm,
  type RankingBatch,
  type RankingScores,
} from '../../../core/learn/ranking/ranking.ts'
import { tf } from '../../../core/learn/tf.ts'
import type { RankingQuery } from './ranking-data.ts'
import type { Picked, RankingScorer } from './ranking-scorer.ts'

/** Gradients of the mean loss over the lists, and the means of what the method reports. */
export async function gradientsOf(
  algorithm: RankingAlgorithm,
  config: unknown,
  scorer: RankingScorer,
  picked: readonly Picked[],
  microBatchSize: number,
  random: Random,
): Promise<{ readonly gradients: Record<string, tf.Tensor>; readonly metrics: Record<string, number> }> {
  const sums: Record<string, tf.Tensor> = {}
  const metrics: Record<string, number> = { loss: 0 }
  const across = algorithm.acrossLists(config)
  for (let start = 0; start < picked.length; start += microBatchSize) {
    const part = picked.slice(start, start + microBatchSize)
    const share = part.length / picked.length
    const batch: RankingBatch = {
      lists: part.map(({ query, positions }) => sublist(query.list, positions)),
      gradeOf: (list, document) => gradeFor(part[list]!.query, document),
    }
    const staged = scorer.stage?.(part) ?? null
    // Of one piece they are wanted for the method's own preparation alone.
    const ahead = staged !== null && (staged.rows.pieces.length > 1 || algorithm.prepare !== undefined)
    const vectors = ahead ? await stagedVectors(staged.rows) : null
    const scoresOf = (given: tf.Tensor2D | null, all: boolean): RankingScores =>
      staged === null ? scorer.score(part, all) : staged.score(given!, all)
    const prepared =
      algorithm.prepare === undefined
        ? null
        : algorithm.prepare(
            await valuesOf(scoresOf(vectors, false), part),
            batch,
            config,
            random.fork(`sample ${start}`),
          )
    for (const [name, value] of Object.entries(prepared?.metrics ?? {}))
      metrics[name] = (metrics[name] ?? 0) + share * value
    const lossOf = (given: tf.Tensor2D | null): tf.Scalar =>
      tf.mul(tf.mean(algorithm.loss(scoresOf(given, across), batch, config, prepared?.plan ?? null)), share)
    const { value: loss, grads } =
      staged === null
        ? variableGradients(() => lossOf(null), Object.values(scorer.variables))
        : await stagedGradients(staged.rows, vectors, lossOf, staged.more)
    vectors?.dispose()
    const names = new Map(Object.entries(scorer.variables).map(([name, variable]) => [variable.name, name]))
    for (const [variable, gradient] of Object.entries(grads)) {
      const name = names.get(variable) ?? variable
      const before = sums[name]
      sums[name] = before === undefined ? gradient : tf.add(before, gradient)
      if (before !== undefined) tf.dispose([before, gradient])
    }
    metrics['loss']! += (await loss.data<'float32'>())[0]!
    loss.dispose()
  }
  return { gradients: sums, metrics }
}

/** Scores of each list's own documents. */
async function valuesOf({ own }: RankingScores, lists: readonly Picked[]): Promise<number[][]> {
  const rows = await own.array()
  own.dispose()
  return rows.map((row, at) => row.slice(0, lists[at]!.positions.length))
}

/** A query's own copy is as relevant as can be: another query's list may bring it, and it must be nobody's negative. */
function gradeFor({ grades, own }: RankingQuery, document: number): number {
  return document === own ? 1 : (grades.get(document) ?? 0)
}
