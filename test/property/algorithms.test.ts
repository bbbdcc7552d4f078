import { describe, expect, it } from 'vitest'
import { algorithmInfo } from '../../shared/contract/system.ts'
import { trainingConfig } from '../../shared/training-config.ts'
import { algorithmHandlers } from '../../main/app/handlers/algorithms.ts'
import type { PairBatch } from '../../main/core/learn/define.ts'
import { algorithms, findAlgorithm, isTextAlgorithm } from '../../main/core/learn/registry.ts'
import { tf } from '../../main/core/learn/tf.ts'
import { isSurrogate } from '../support/toy-course.ts'
import { numbersOf, pairBatch, slicePairs, tableNetwork, turnPairs } from '../support/toy-pairs.ts'

// Every method of the registry that learns from pairs. That each learns its toy problem is in integration/registry.test.ts.

describe.each(algorithms.filter(isTextAlgorithm).map((algorithm) => [algorithm.id, algorithm] as const))(
  '%s',
  (_id, algorithm) => {
    const config = algorithm.config.parse({})
    /** Pairs whose answers are judged one by one, for a method that gets such. */
    const judgedBeside = <J>(judged: J): { judged?: J } => (algorithm.judgesEach === true ? { judged } : {})

    it('has defaults and presets that its own schema takes', () => {
      for (const preset of algorithm.presets) {
        algorithm.config.parse(preset.config)
        trainingConfig.partial().strict().parse(preset.training)
      }
      expect(new Set(algorithm.presets.map((preset) => preset.id)).size).toBe(algorithm.presets.length)
    })

    it('reports what it declares', () => {
      const network = tableNetwork(1)
      const { batch, totals } = pairBatch(4, judgedBeside([null, [1, 0], null, [0, 0]]), network)
      // What was written is counted by the trainer, which has it.
      const declared = algorithm.metrics
        .map((metric) => metric.name)
        .filter((name) => !name.startsWith('rollout/'))
        .toSorted()
      const seen = (evaluating: boolean): string[] =>
        Object.keys(
          algorithm.loss({ network, batch, totals: totals(algorithm), config, evaluating }).metrics,
        ).toSorted()
      expect(seen(true)).toEqual(declared)
      expect(declared).toEqual(expect.arrayContaining(seen(false)))
      expect(algorithm.metrics.map((metric) => metric.name)).toContain(algorithm.mainMetric.replace(/^eval\//, ''))
    })

    it('gives the same gradient in one batch and in micro-batches', () => {
      const network = tableNetwork(2)
      const { batch, totals } = pairBatch(
        6,
        {
          preference: [1, 0.5, 1, 0.75, 1, 1],
          weight: [1, 2, 0.5, 1, 1, 0],
          ...judgedBeside([null, [0, 0], null, null, [0, 0.5], null]),
        },
        network,
      )
      const context = { network, totals: totals(algorithm), config }
      const variables = Object.values(network.variables)
      const whole = tf.variableGrads(() => algorithm.loss({ ...context, batch }).loss, variables)
      const halves = [0, 2].map((from) =>
        tf.variableGrads(
          () => algorithm.loss({ ...context, batch: slicePairs(batch, from, from === 0 ? 2 : 4) }).loss,
          variables,
        ),
      )
      for (const [name, gradient] of Object.entries(whole.grads)) {
        const sum = tf.addN(halves.map((half) => half.grads[name] ?? tf.zerosLike(gradient)))
        expect(tf.max(tf.abs(tf.sub(sum, gradient))).dataSync()[0]).toBeLessThan(1e-5)
      }
      expect(halves.reduce((sum, half) => sum + (half.value.dataSync()[0] ?? NaN), 0)).toBeCloseTo(
        whole.value.dataSync()[0] ?? NaN,
        4,
      )
    })

    it('does not mind which side is called chosen: sides turned with their label give the same loss', () => {
      const network = tableNetwork(6)
      const preference = [1, 0.5, 0.75, 0.6]
      const { batch, totals } = pairBatch(4, { preference, weight: [1, 2, 0.5, 1] }, tableNetwork(7)) // a reference that differs
      const lossOf = (given: PairBatch): number =>
        algorithm.loss({ network, batch: given, totals: totals(algorithm), config }).loss.dataSync()[0]!
      expect(lossOf(turnPairs(batch))).toBeCloseTo(lossOf(batch), 5)
      const { preference: labels, rewardChosen, rewardRejected } = batch
      if (!isSurrogate(algorithm))
        expect(
          lossOf({ ...turnPairs(batch), preference: labels, rewardChosen, rewardRejected }),
          'sides turned without their label',
        ).not.toBeCloseTo(lossOf(batch), 5)
    })

    it('stands at one half before it has learned, where it has a reference', () => {
      const network = tableNetwork(4)
      const { batch, totals } = pairBatch(4, {}, network)
      const metrics = numbersOf(
        algorithm.loss({ network, batch, totals: totals(algorithm), config, evaluating: true }).metrics,
      )
      if (algorithm.needsReference)
        expect([metrics['rewards/accuracies'], metrics['rewards/margins'], metrics['kl/k3']]).toEqual([0.5, 0, 0])
      else expect(metrics['loss']).toBeGreaterThan(0)
    })
  },
)

describe('the registry', () => {
  it('serves every method with a schema whose fields explain themselves', async () => {
    const list = algorithmInfo.array().parse(await algorithmHandlers()['algorithms.list']({}))
    expect(list.map((info) => info.id)).toEqual(algorithms.map(({ id }) => id))
    expect(new Set(list.map((info) => info.id)).size).toBe(list.length)
    for (const info of list) {
      const { properties } = info.configSchema as { properties: Record<string, { title?: string; help?: string }> }
      for (const [name, field] of Object.entries(properties))
        expect([info.id, name, typeof field.title, typeof field.help]).toEqual([info.id, name, 'string', 'string'])
    }
  })
  it('names the methods there are when asked for another', () => {
    expect(() => findAlgorithm('ppo')).toThrow('There is no method called "ppo".')
  })
})
