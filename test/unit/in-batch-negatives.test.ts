import { expect, test } from 'vitest'
import { equalTexts } from '../../main/core/learn/algorithms/contrastive.ts'
import { contrastLogits, diagonalCrossEntropy } from '../../main/core/learn/algorithms/infonce.ts'
import { createBatchPlan } from '../../main/core/learn/batch-plan.ts'
import { tf } from '../../main/core/learn/tf.ts'

const item = (query: string, positive: string | null, negatives: readonly string[]) => ({
  id: query,
  query,
  positive,
  negatives,
})

/** The loss of each row, every text having an axis of its own: a perfect embedding. */
function losses(items: readonly ReturnType<typeof item>[], hardNegatives: 'own' | 'all'): number[] {
  const texts = [...new Set(items.flatMap((one) => [one.positive ?? one.query, ...one.negatives]))]
  const axis = (text: string): number[] => texts.map((other) => (other === text ? 1 : 0))
  return tf.tidy(() => {
    const positives = tf.tensor2d(items.map((one) => axis(one.positive ?? one.query)))
    const hard = tf.tensor3d(items.map((one) => one.negatives.map(axis)))
    const logits = contrastLogits(positives, positives, hard, tf.tensor2d(equalTexts(items, hardNegatives)), {
      temperature: 0.05,
      similarity: 'cosine',
      hardNegatives,
    })
    return Array.from(diagonalCrossEntropy(logits).dataSync<'float32'>())
  })
}

test.each(['own', 'all'] as const)(
  'what equals the positive is no hard negative of it: perfect vectors lose nothing (%s)',
  (which) => {
    const items = [item('q1', 'a', ['b', 'a']), item('q2', 'b', ['a', 'c']), item('q3', 'a', ['c', 'd'])]
    for (const loss of losses(items, which)) expect(loss).toBeLessThan(1e-6)
  },
)

test('nor is the query itself, in the batch or among the hard ones; what is another text stays', () => {
  const items = [item('a', 'b', ['a', 'c']), item('b', 'a', ['c', 'd'])]
  expect(equalTexts(items, 'all')).toEqual([
    [0, 1, 1, 0, 0, 0],
    [1, 0, 1, 0, 0, 0],
  ])
  expect(equalTexts(items, 'own')).toEqual([
    [0, 1, 1, 0],
    [1, 0, 0, 0],
  ])
  expect(equalTexts([item('a', null, []), item('a', null, []), item('b', null, [])], 'all')).toEqual([
    [0, 1, 0],
    [1, 0, 0],
    [0, 0, 0],
  ])
})

test('texts that stand against each other share a batch whatever their lengths', () => {
  const lengths = Array.from({ length: 256 }, (_none, at) => at)
  /** Mean range of lengths within a batch, of 255 that there could be. */
  const spread = (mixed: boolean): number => {
    const plan = createBatchPlan({ lengths, batchSize: 8, seed: 1, mixed })
    const batches = Array.from({ length: 32 }, () => plan.next().map((at) => lengths[at]!))
    expect(batches.flat().toSorted((a, b) => a - b)).toEqual(lengths) // each once
    return batches.reduce((sum, batch) => sum + Math.max(...batch) - Math.min(...batch), 0) / batches.length
  }
  expect(spread(false)).toBeLessThan(60)
  expect(spread(true)).toBeGreaterThan(170)
  const plan = createBatchPlan({ lengths, batchSize: 8, seed: 1, mixed: true })
  for (let step = 0; step < 40; step += 1) plan.next()
  const again = createBatchPlan({ lengths, batchSize: 8, seed: 1, mixed: true }, plan.state())
  expect(again.next()).toEqual(plan.next())
})
