import { describe, expect, it } from 'vitest'
import { algorithmInfo } from '../../shared/contract/system.ts'
import { trainingConfig } from '../../shared/run-spec.ts'
import { algorithmHandlers } from '../../main/handlers/algorithms.ts'
import type { Algorithm, BatchTotals, Network, PairBatch, TokenBatch } from '../../main/learn/define.ts'
import { tokenLogProbsFromLogits } from '../../main/learn/ops.ts'
import { createOptimizer } from '../../main/learn/optimizer.ts'
import { createRandom } from '../../main/learn/random.ts'
import { algorithms, findAlgorithm, isTextAlgorithm } from '../../main/learn/registry.ts'
import { tf } from '../../main/learn/tf.ts'

// Every method of the registry, on a network small enough to see through: a table of what follows what.

const VOCAB = 6
const TIME = 5

interface Table extends Network {
  readonly variables: Readonly<Record<string, tf.Variable>>
}

function tableNetwork(seed: number): Table {
  const random = createRandom(seed)
  const next = tf.variable(tf.tensor2d(Array.from({ length: VOCAB }, () => Array.from({ length: VOCAB }, () => 0.1 * random.normal()))))
  const worth = tf.variable(tf.tensor2d(Array.from({ length: VOCAB }, () => [0.1 * random.normal()])))
  const oneHot = (ids: tf.Tensor2D): tf.Tensor2D => tf.reshape(tf.cast(tf.oneHot(ids, VOCAB), 'float32'), [-1, VOCAB])
  return {
    variables: { next, worth },
    tokenLogProbs: (tokens) => tokenLogProbsFromLogits(tf.reshape(tf.matMul(oneHot(tokens.ids), next), [...tokens.ids.shape, VOCAB]), tokens),
    score: (tokens) => tf.sum(tf.mul(tf.reshape<tf.Rank.R2>(tf.matMul(oneHot(tokens.ids), worth), tokens.ids.shape), tokens.completion), 1),
  }
}

/** Preferred completions end in 1s, the others in 2s. */
function pairBatch(pairs: number, changes: { readonly preference?: number[]; readonly weight?: number[] } = {}, network?: Network): { batch: PairBatch; totals: (algorithm: Algorithm) => BatchTotals } {
  const random = createRandom(5)
  const rows = Array.from({ length: 2 * pairs }, (_, row) => [3 + random.int(3), 3 + random.int(3), ...Array.from({ length: TIME - 2 }, () => (row < pairs ? 1 : 2))])
  const tokens: TokenBatch = { ids: tf.tensor2d(rows, undefined, 'int32'), attention: tf.ones([2 * pairs, TIME]), completion: tf.tensor2d(rows.map(() => [0, 0, 1, 1, 1])) }
  const preference = changes.preference ?? Array.from({ length: pairs }, () => 1)
  const weight = changes.weight ?? Array.from({ length: pairs }, () => 1)
  const batch: PairBatch = {
    kind: 'pairs', pairs, tokens,
    preference: tf.tensor1d(preference), strength: tf.ones([pairs]), weight: tf.tensor1d(weight),
    rewardChosen: tf.tensor1d(preference.map((p) => p - 0.5)), rewardRejected: tf.tensor1d(preference.map((p) => 0.5 - p)),
    reference: network === undefined ? tf.zeros([2 * pairs, TIME - 1]) : network.tokenLogProbs(tokens),
    mismatched: network === undefined ? null : mismatchedRows(rows, tokens, network),
  }
  const totals = (algorithm: Algorithm): BatchTotals => {
    const plain = plainTotals(algorithm)
    if (algorithm.before === undefined || network === undefined) return plain
    return { ...plain, before: algorithm.before({ network, batch, totals: plain, config: algorithm.config.parse({}) }).dataSync()[0] ?? NaN }
  }
  const plainTotals = (algorithm: Algorithm): BatchTotals => {
    const sides = (p: number): readonly [number, number] => algorithm.tokenWeights?.(p, 1, algorithm.config.parse({})) ?? [1, 1]
    return { items: pairs, rewardMean: 0, weight: weight.reduce((sum, one) => sum + one, 0), tokens: preference.reduce((sum, p, at) => sum + (weight[at] ?? 0) * 3 * (sides(p)[0] + sides(p)[1]), 0) }
  }
  return { batch, totals }
}

/** Each prompt with the completion of the row after it. */
function mismatchedRows(rows: readonly number[][], like: TokenBatch, network: Network): NonNullable<PairBatch['mismatched']> {
  const tokens = { ...like, ids: tf.tensor2d(rows.map((row, at) => [...row.slice(0, 2), ...rows[(at + 1) % rows.length]!.slice(2)]), undefined, 'int32') }
  return { tokens, reference: network.tokenLogProbs(tokens) }
}

function slicePairs(batch: PairBatch, from: number, count: number): PairBatch {
  const rows = (x: tf.Tensor2D): tf.Tensor2D => tf.concat([tf.slice(x, [from, 0], [count, -1]), tf.slice(x, [batch.pairs + from, 0], [count, -1])])
  const items = (x: tf.Tensor1D): tf.Tensor1D => tf.slice(x, [from], [count])
  return {
    kind: 'pairs', pairs: count,
    tokens: { ids: rows(batch.tokens.ids), attention: rows(batch.tokens.attention), completion: rows(batch.tokens.completion) },
    preference: items(batch.preference), strength: items(batch.strength), weight: items(batch.weight),
    rewardChosen: items(batch.rewardChosen), rewardRejected: items(batch.rewardRejected),
    reference: batch.reference === null ? null : rows(batch.reference),
    mismatched: batch.mismatched == null ? null : { tokens: { ids: rows(batch.mismatched.tokens.ids), attention: rows(batch.mismatched.tokens.attention), completion: rows(batch.mismatched.tokens.completion) }, reference: rows(batch.mismatched.reference) },
  }
}

function numbersOf(metrics: Readonly<Record<string, tf.Scalar>>): Record<string, number> {
  return Object.fromEntries(Object.entries(metrics).map(([name, scalar]) => [name, scalar.dataSync()[0] ?? NaN]))
}

describe.each(algorithms.filter(isTextAlgorithm).map((algorithm) => [algorithm.id, algorithm] as const))('%s', (_id, algorithm) => {
  const config = algorithm.config.parse({})

  it('has defaults and presets that its own schema takes', () => {
    for (const preset of algorithm.presets) {
      algorithm.config.parse(preset.config)
      trainingConfig.partial().strict().parse(preset.training)
    }
    expect(new Set(algorithm.presets.map((preset) => preset.id)).size).toBe(algorithm.presets.length)
  })

  it('reports what it declares', () => {
    const network = tableNetwork(1)
    const { batch, totals } = pairBatch(4, {}, network)
    // What was written is counted by the trainer, which has it.
    const declared = algorithm.metrics.map((metric) => metric.name).filter((name) => !name.startsWith('rollout/')).toSorted()
    const seen = (evaluating: boolean): string[] => Object.keys(algorithm.loss({ network, batch, totals: totals(algorithm), config, evaluating }).metrics).toSorted()
    expect(seen(true)).toEqual(declared)
    expect(declared).toEqual(expect.arrayContaining(seen(false)))
    expect(algorithm.metrics.map((metric) => metric.name)).toContain(algorithm.mainMetric.replace(/^eval\//, ''))
  })

  it('gives the same gradient in one batch and in micro-batches', () => {
    const network = tableNetwork(2)
    const { batch, totals } = pairBatch(6, { preference: [1, 0.5, 1, 0.75, 1, 1], weight: [1, 2, 0.5, 1, 1, 0] }, network)
    const context = { network, totals: totals(algorithm), config }
    const variables = Object.values(network.variables)
    const whole = tf.variableGrads(() => algorithm.loss({ ...context, batch }).loss, variables)
    const halves = [0, 2].map((from) => tf.variableGrads(() => algorithm.loss({ ...context, batch: slicePairs(batch, from, from === 0 ? 2 : 4) }).loss, variables))
    for (const [name, gradient] of Object.entries(whole.grads)) {
      const sum = tf.addN(halves.map((half) => half.grads[name] ?? tf.zerosLike(gradient)))
      expect(tf.max(tf.abs(tf.sub(sum, gradient))).dataSync()[0]).toBeLessThan(1e-5)
    }
    expect(halves.reduce((sum, half) => sum + (half.value.dataSync()[0] ?? NaN), 0)).toBeCloseTo(whole.value.dataSync()[0] ?? NaN, 4)
  })

  it('learns which ending is preferred, without leaving tensors behind', () => {
    const network = tableNetwork(3)
    const { batch, totals } = pairBatch(8, {}, network)
    const context = { network, batch, totals: totals(algorithm), config }
    const optimizer = createOptimizer({ beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0, clipNorm: 1 }, network.variables)
    const names = Object.entries(network.variables)
    const step = (): number => tf.tidy(() => {
      const { value, grads } = tf.variableGrads(() => algorithm.loss(context).loss, Object.values(network.variables))
      optimizer.apply(Object.fromEntries(names.map(([name, variable]) => [name, grads[variable.name] ?? tf.zerosLike(variable)])), 0.05)
      return value.dataSync()[0] ?? NaN
    })
    const first = step()
    step()
    const before = tf.memory().numTensors
    let last = first
    for (let round = 0; round < 40; round += 1) last = step()
    expect(tf.memory().numTensors).toBe(before)
    // On logged completions GRPO's ratio is 1 and its value says nothing; its gradient does.
    if (algorithm.id !== 'grpo') expect(last).toBeLessThan(first - 0.05)
    const metrics = numbersOf(algorithm.loss({ ...context, evaluating: true }).metrics)
    expect(metrics[algorithm.rollout?.(config) != null ? 'rewards/accuracies' : algorithm.mainMetric.replace(/^eval\//, '')]).toBe(1)
    for (const value of Object.values(metrics)) expect(Number.isFinite(value)).toBe(true)
  })

  it('stands at one half before it has learned, where it has a reference', () => {
    const network = tableNetwork(4)
    const { batch, totals } = pairBatch(4, {}, network)
    const metrics = numbersOf(algorithm.loss({ network, batch, totals: totals(algorithm), config, evaluating: true }).metrics)
    if (algorithm.needsReference) expect([metrics['rewards/accuracies'], metrics['rewards/margins'], metrics['kl/k3']]).toEqual([0.5, 0, 0])
    else expect(metrics['loss']).toBeGreaterThan(0)
  })
})

describe('the registry', () => {
  it('serves every method with a schema whose fields explain themselves', () => {
    const list = algorithmInfo.array().parse(algorithmHandlers()['algorithms.list']({}))
    expect(list.map((info) => info.id)).toEqual(['sft', 'dpo', 'ipo', 'slic', 'kto', 'copg', 'reinforce', 'rloo', 'grpo', 'reward-model', 'pg-rank', 'infonce', 'softmax-ce', 'listnet', 'ranknet', 'listmle', 'cpl', 'sft-pref', 'bc', 'percent-bc', 'p-iql', 'grace', 'contrastive', 'language-model'])
    for (const info of list) {
      const { properties } = info.configSchema as { properties: Record<string, { title?: string; help?: string }> }
      for (const [name, field] of Object.entries(properties)) expect([info.id, name, typeof field.title, typeof field.help]).toEqual([info.id, name, 'string', 'string'])
    }
  })
  it('names the methods there are when asked for another', () => {
    expect(() => findAlgorithm('ppo')).toThrow('There is no method called "ppo".')
  })
})
