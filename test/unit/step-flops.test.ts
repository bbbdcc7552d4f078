import { expect, test } from 'vitest'
import { SHAPES } from '../bench/engine-jobs.ts'
import { stepFlops } from '../bench/step-flops.ts'

test('a step asks for about six operations a weight and token, of adapters beside frozen weights for about four', () => {
  const { config, rows, time } = SHAPES.smollm2
  const { hidden, layers, heads, kvHeads, headDim, feedForward, vocabSize } = config
  const weights = layers * (2 * hidden * headDim * (heads + kvHeads) + 3 * hidden * feedForward) + hidden * vocabSize
  const tokens = rows * time
  const [whole, adapters] = [stepFlops('smollm2', 'sft'), stepFlops('smollm2', 'lora-sft')].map(
    (flops) => flops / (weights * tokens),
  )
  expect(whole).toBeGreaterThan(6)
  expect(whole).toBeLessThan(6.2) // attention over 128 tokens is little
  expect(adapters).toBeGreaterThan(4)
  expect(adapters).toBeLessThan(4.5)
  // Of a pair whose prompt is half of it, the head reads half.
  expect(stepFlops('smollm2', 'dpo')).toBeLessThan(0.9 * stepFlops('smollm2', 'sft'))
})
