import type { SegmentSet } from '../../../../shared/segments.ts'
import { disposeSegmentBatch, segmentBatch } from './control-batches.ts'
import { behaviourCloningLoss, rowSums, segmentLogProbs } from './control-policy.ts'
import type { Mlp } from '../models/mlp.ts'
import { fractionGreater, splitPairs } from '../ops.ts'
import { tf } from '../tf.ts'

const BATCH_PAIRS = 64

/**
 * How a policy fits segments that it was not trained on, dropout off. Outcomes are of Σ log π of whole segments, without
 * λ, over the pairs whose label is no tie: 1 where the preferred one has more, ½ where the two are equal.
 */
export async function evaluateSegments(
  policy: Mlp,
  set: SegmentSet,
): Promise<{
  readonly outcomes: readonly { readonly pair: number; readonly value: number }[]
  readonly bcLoss: number
}> {
  const half = set.count / 2
  const labels = new Float64Array(half).fill(0.5)
  const { first, secondPreferred } = set.comparisons!
  first.forEach((pair, at) => (labels[pair] = secondPreferred[at]!))
  const outcomes: { readonly pair: number; readonly value: number }[] = []
  let [squares, steps] = [0, 0]
  for (let start = 0; start < half; start += BATCH_PAIRS) {
    const pairs = Math.min(BATCH_PAIRS, half - start)
    const segments = Int32Array.from({ length: 2 * pairs }, (_, row) =>
      row < pairs ? start + row : half + start + row - pairs,
    )
    const batch = segmentBatch(set, segments, Array.from(labels.subarray(start, start + pairs)))
    const [ahead, loss] = tf.tidy(() => {
      const logProbs = segmentLogProbs(policy, batch, null)
      const [one, two] = splitPairs(rowSums(logProbs, batch.mask), pairs)
      return [fractionGreater(two, one), behaviourCloningLoss(logProbs, batch.mask, batch.steps)] as const
    })
    const second = await ahead.data<'float32'>()
    batch.labels.forEach((label, at) => {
      if (label !== 0.5) outcomes.push({ pair: start + at, value: label > 0.5 ? second[at]! : 1 - second[at]! })
    })
    squares += batch.steps * (await loss.data<'float32'>())[0]!
    steps += batch.steps
    tf.dispose([ahead, loss])
    disposeSegmentBatch(batch)
  }
  return { outcomes, bcLoss: steps > 0 ? squares / steps : NaN }
}
