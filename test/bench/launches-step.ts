import { pairTotals } from '../../main/core/learn/batch-totals.ts'
import { pairBatch } from '../../main/core/learn/batches.ts'
import { variableGradients } from '../../main/core/learn/gradients.ts'
import { createDecoder } from '../../main/core/learn/models/decoder.ts'
import { createOptimizer, readGlobalNorm } from '../../main/core/learn/optimizer.ts'
import { createRandom } from '../../main/core/learn/random.ts'
import { findTextAlgorithm } from '../../main/core/learn/registry.ts'
import { tf } from '../../main/core/learn/tf.ts'
import type { EncodedCompletion } from '../../main/core/learn/tokens/encode-rows.ts'
import { LEARNING_RATE, pairsOf, referenceOf, SHAPES, type ShapeName } from './engine-jobs.ts'

/**
 * A training step that tells where it is: `mark` is called after the forward pass, the backward pass, and the update with
 * what is read of it. @param tokens of a prompt and of a completion, the rest left out; null: all   @returns the step, which resolves to its loss
 */
export function algorithmStep(
  shape: ShapeName,
  job: 'sft' | 'dpo',
  layers: number,
  tokens: number | null = null,
): (mark: () => void) => Promise<number> {
  const decoder = createDecoder({ ...SHAPES[shape].config, layers }, createRandom(1))
  const optimizer = createOptimizer(
    { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0, clipNorm: 1 },
    decoder.variables,
  )
  const algorithm = findTextAlgorithm(job)
  const config = algorithm.config.parse({})
  const pairs = pairsOf(shape, job).map((pair) => ({
    ...pair,
    chosen: cut(pair.chosen, tokens),
    rejected: cut(pair.rejected, tokens),
  }))
  const totals = pairTotals(pairs, algorithm, config, null)
  const names = new Map(Object.entries(decoder.variables).map(([name, variable]) => [variable.name, name]))
  return async (mark) => {
    const batch = pairBatch(pairs, 0, null, job === 'dpo' ? referenceOf : null)
    const { value, grads } = variableGradients(() => {
      const result = algorithm.loss({ network: decoder, batch, totals, config })
      mark()
      return result.loss
    }, Object.values(decoder.variables))
    mark()
    const gradients = Object.fromEntries(Object.entries(grads).map(([name, gradient]) => [names.get(name)!, gradient]))
    optimizer.apply(gradients, LEARNING_RATE, await readGlobalNorm(Object.values(gradients)))
    const [loss] = await value.data<'float32'>()
    tf.dispose([value, ...Object.values(grads)])
    tf.dispose(batch as never) // its tensors
    mark()
    return loss!
  }
}

function cut(one: EncodedCompletion, tokens: number | null): EncodedCompletion {
  if (tokens === null) return one
  return { ...one, prompt: one.prompt.slice(0, tokens), completion: one.completion.slice(0, tokens) }
}
