import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { encoderEmbedder } from '../../main/core/learn/models/embedder.ts'
import { encoderFrom } from '../../main/core/learn/models/encoder.ts'
import { sourceOf } from '../../main/core/learn/models/parameters.ts'
import { tf } from '../../main/core/learn/tf.ts'
import { openEngine } from '../../main/workers/engine/choose.ts'
import {
  BERT,
  disposeKept,
  embed,
  encoder,
  expectClose,
  gradients,
  keep,
  LORA,
  MEAN,
  ROWS,
  trainedAdapters,
} from '../support/tiny-encoder.ts'

afterEach(disposeKept)

describe.each(['cpu', 'wasm'] as const)('what an encoder holds on %s', (engine) => {
  beforeAll(async () => {
    await openEngine(engine)
  })

  test('what a layer made goes with it: more layers hold no more at once', () => {
    const most = (layers: number): number => {
      const network = encoder({ ...BERT, layers })
      const before = tf.memory().numTensors
      const scopes = vi.spyOn(tf.engine(), 'startScope')
      let held = 0
      scopes.mockImplementation((...given) => {
        held = Math.max(held, tf.memory().numTensors - before)
        start.apply(tf.engine(), given)
      })
      try {
        embed(network, ROWS)
      } finally {
        scopes.mockRestore()
      }
      return held
    }
    const start = tf.engine().startScope
    expect(most(9) - most(3)).toBe(6) // what goes into each
  })

  test.each(['bfloat16', 'int8'] as const)(
    'frozen weights kept as %s are read back as they are multiplied, take fewer bytes, and adapters train beside them',
    async (frozenStorage) => {
      const config = { ...BERT, hidden: 64, feedForward: 128 }
      const lora = { lora: LORA, adapters: sourceOf(trainedAdapters(config)) }
      const packed = encoder(config, { ...lora, frozenStorage })
      const rounded = await packed.toTensors()
      const plain = keep(encoderEmbedder(encoderFrom(config, sourceOf(rounded), lora), MEAN))
      expect(packed.weightBytes).toBeLessThan((frozenStorage === 'int8' ? 0.55 : 0.7) * plain.weightBytes)
      expect(rounded['encoder.layer.0.intermediate.dense.weight']).not.toEqual(
        await encoder(config).read('encoder.layer.0.intermediate.dense.weight'),
      )
      expectClose(embed(packed, ROWS).flat(), embed(plain, ROWS).flat(), 1e-6)
      const [one, other] = [gradients(packed), gradients(plain)]
      expect(Object.keys(one.grads).every((name) => name.includes('lora'))).toBe(true)
      for (const [name, values] of Object.entries(other.grads)) expectClose(one.grads[name]!, values, 1e-5, name)
    },
  )
})
