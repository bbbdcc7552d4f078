import { describe, expect, test } from 'vitest'
import { algorithms } from '../../main/core/learn/registry.ts'
import { fellBelow } from '../../main/workers/trainer/clear-fall.ts'
import { presetFor } from '../../shared/presets.ts'

describe('the preset that a choice of model begins with', () => {
  const trainsDecoders = algorithms.filter((one) => one.models.includes('decoder'))

  test.each(trainsDecoders.map((one) => [one.id, one] as const))(
    '%s: adapters beside a model from elsewhere, low rates for all its weights, its first for a new one',
    (_id, { presets }) => {
      const elsewhere = { kind: 'registered', pretrained: true } as const
      const [lora, full] = [presetFor(presets, elsewhere), presetFor(presets, elsewhere, 'full')]
      expect([lora.training.adapt, full.training.adapt ?? 'full']).toEqual(['lora', 'full'])
      expect(lora.training.learningRate).toBeLessThanOrEqual(2e-4)
      expect(full.training.learningRate).toBeLessThanOrEqual(2e-5)
      expect(presetFor(presets, { kind: 'run', pretrained: true })).toBe(lora)
      for (const kind of ['new', 'run', 'registered'] as const)
        expect(presetFor(presets, { kind, pretrained: false })).toBe(presets[0])
    },
  )

  const ranks = algorithms.filter((one) => one.data === 'rankings' && one.learns !== false)
  test.each(ranks.map((one) => [one.id, one] as const))(
    '%s: by features, a new encoder, one from elsewhere',
    (_id, { presets }) => {
      expect(presetFor(presets, { kind: 'networks', pretrained: false }).title).toBe('Features')
      expect(presetFor(presets, { kind: 'new', pretrained: false }).id).toBe('encoder')
      const elsewhere = presetFor(presets, { kind: 'registered', pretrained: true })
      expect([elsewhere.id, elsewhere.training.learningRate]).toEqual(['pretrained', 2e-5])
      const lora = presetFor(presets, { kind: 'registered', pretrained: true }, 'lora')
      expect([lora.id, lora.training.adapt, lora.training.learningRate]).toEqual(['adapters', 'lora', 2e-4])
    },
  )
})

describe('a clear fall below the weights that training began with', () => {
  test('is told by intervals that lie apart, or by a tenth of the value, in the metric’s own direction', () => {
    const at = (value: number, half: number): Record<string, number> => ({
      m: value,
      m_low: value - half,
      m_high: value + half,
    })
    expect(fellBelow(at(0.5, 0.1), at(0.35, 0.1), 'm', 'max')).toBe(false)
    expect(fellBelow(at(0.5, 0.05), at(0.35, 0.05), 'm', 'max')).toBe(true)
    expect(fellBelow(at(0.5, 0.05), at(0.65, 0.05), 'm', 'max')).toBe(false)
    expect(fellBelow(at(2, 0.05), at(2.5, 0.05), 'm', 'min')).toBe(true)
    expect(fellBelow({ m: 2 }, { m: 2.1 }, 'm', 'min')).toBe(false)
    expect(fellBelow({ m: 2 }, { m: 2.3 }, 'm', 'min')).toBe(true)
    expect(fellBelow({ m: 2 }, { m: 9 }, 'm', 'none')).toBe(false)
    expect(fellBelow({}, { m: 9 }, 'm', 'min')).toBe(false)
  })
})
