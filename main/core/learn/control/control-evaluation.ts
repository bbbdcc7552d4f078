import type { SegmentSet } from '../../../../shared/segments.ts'
import { disposeSegmentBatch, segmentBatch } from './control-batches.ts'
import { behaviourCloningLoss, pairAccuracy, rowSums, segmentLogProbs } from './control-policy.ts'
import type { Mlp } from '../models/mlp.ts'
import { splitPairs } from '../ops.ts'
import { tf } from '../tf.ts'

const BATCH_PAIRS = 64

/**
 * How a policy fits segments that it was not trained on, dropout off. Accuracy is of Σ log π of whole segments, without
 * λ, over the pairs with a strict label; NaN where there is none.
 */
export async function evaluateSegments(
  policy: Mlp,
  set: SegmentSet,
): Promise<{ readonly accuracy: number; readonly bcLoss: number; readonly pairs: number }> {
  const half = set.count / 2
  const labels = new Float64Array(half).fill(0.5)
  const { first, secondPreferred } = set.comparisons!
  first.forEach((pair, at) => (labels[pair] = secondPreferred[at]!))
  let [right, strict, squares, steps] = [0, 0, 0, 0]
  for (let start = 0; start < half; start += BATCH_PAIRS) {
    const pairs = Math.min(BATCH_PAIRS, half - start)
    const segments = Int32Array.from({ length: 2 * pairs }, (_, row) =>
      row < pairs ? start + row : half + start + row - pairs,
    )
    const batch = segmentBatch(set, segments, Array.from(labels.subarray(start, start + pairs)))
    const counted = batch.labels.filter((label) => label !== 0.5).length
    const [accuracy, loss] = tf.tidy(() => {
      const logProbs = segmentLogProbs(policy, batch, null)
      const [one, two] = splitPairs(rowSums(logProbs, batch.mask), pairs)
      return [pairAccuracy(one, two, batch.labels), behaviourCloningLoss(logProbs, batch.mask, batch.steps)] as const
    })
    right += counted * (await accuracy.data<'float32'>())[0]!
    squares += batch.steps * (await loss.data<'float32'>())[0]!
    strict += counted
    steps += batch.steps
    tf.dispose([accuracy, loss])
    disposeSegmentBatch(batch)
  }
  return { accuracy: strict > 0 ? right / strict : NaN, bcLoss: steps > 0 ? squares / steps : NaN, pairs: strict }
}
