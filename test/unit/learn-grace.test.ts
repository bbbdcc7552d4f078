import { expect, test } from 'vitest'
import { trainingConfig } from '../../shared/training-config.ts'
import { meanPool, poolMask } from '../../main/core/learn/embed/grace-rewards.ts'
import { disposeBatch, groupBatch } from '../../main/core/learn/batches.ts'
import { byteTokenizer } from '../../main/core/learn/tokens/bpe-trainer.ts'
import { measureSimilarity, measureTriples } from '../../main/core/learn/embed/embed-metrics.ts'
import {
  advantageGroups,
  graceRound,
  graceStepLoss,
  type GraceInstance,
  type GraceOptions,
} from '../../main/core/learn/embed/grace-rollouts.ts'
import { createDecoder } from '../../main/core/learn/models/decoder.ts'
import { packSequences } from '../../main/core/learn/models/packing.ts'
import { createOptimizer } from '../../main/core/learn/optimizer.ts'
import { findContrastMethod } from '../../main/core/learn/registry.ts'
import { createRandom } from '../../main/core/learn/random.ts'
import { embedSpans, spanOf } from '../../main/core/learn/embed/rationale.ts'
import { tagsFormat } from '../../main/core/learn/tokens/tags-format.ts'
import { loadTokenizer } from '../../main/core/learn/tokens/tokenizer.ts'
import { tf } from '../../main/core/learn/tf.ts'
import { oneLayer } from '../support/one-layer.ts'

const config = oneLayer(14)
const decoder = createDecoder(config, createRandom(3))
const END = 1

function prompt(...ids: number[]): { readonly ids: readonly number[]; readonly systemTokens: number } {
  return { ids: [2, 3, ...ids, END], systemTokens: 2 }
}
const instances: GraceInstance[] = [
  [4, 5],
  [6, 7],
  [8, 9],
].map(([a, b]) => ({ query: prompt(a!), positive: prompt(a!, b!), negatives: [prompt(10, b!)] }))
const options: GraceOptions = {
  rollouts: 4,
  maxTokens: 5,
  temperature: 1,
  anchorTemperature: 0.5,
  weights: { consistency: 0.2, hard: 0.2, temperature: 0.1 },
  span: 'after-system',
  hardTerm: 'instance',
  unfinishedReward: -1,
}
const nothing = (): Promise<void> => Promise.resolve()

test('the prompt keeps text and end of turn past its system prompt, and cuts the text alone', () => {
  const tokenizer = loadTokenizer(byteTokenizer())
  const whole = tagsFormat(tokenizer).asked('think', 'abc', 1000)
  expect(tokenizer.decode(whole.ids.slice(0, whole.systemTokens))).toBe('<system>\nthink\n<user>\n')
  expect([tokenizer.decode(whole.ids.slice(whole.systemTokens)), whole.ids.at(-1)]).toEqual(['abc\n', tokenizer.endId])
  const cut = tagsFormat(tokenizer).asked('think', 'abcdefgh', whole.systemTokens + 4)
  expect([cut.ids.length, tokenizer.decode(cut.ids.slice(cut.systemTokens))]).toEqual([whole.systemTokens + 4, 'ab\n'])
})

test('pooling of packed rows is the mean over what follows the system prompt, as on padded rows', () => {
  const rows = [[2, 3, 4, 5, END], [2, 3, 6, END, 7, 8, 9], [2]]
  const time = 7
  const attention = rows.map((row) => Array.from({ length: time }, (_none, at) => (at < row.length ? 1 : 0)))
  const packing = packSequences(rows)
  const states = decoder.hiddenStates(packing).arraySync()
  const padded = rows.map((row, at) =>
    Array.from({ length: time }, (_none, t) =>
      t < row.length ? states[packing.members[packing.offsets[at]! + t]!]! : Array.from({ length: 8 }, () => 7),
    ),
  )
  const expected = meanPool(tf.tensor3d(padded), tf.tensor2d(poolMask(attention, 2))).arraySync()
  const actual = embedSpans(
    decoder,
    rows.map((ids) => ({ ids, from: 2 })),
  ).arraySync()
  actual.flat().forEach((value, at) => expect(value).toBeCloseTo(expected.flat()[at]!, 5))
  expect(spanOf(prompt(4), [5, 6], 'rationale')).toEqual({ ids: [2, 3, 4, END, 5, 6], from: 4 })
  expect(spanOf(prompt(4), [], 'rationale').from).toBe(2)
})

test('the same random numbers write the same; rewards are numbers with their parts; no tensor stays', async () => {
  const round = (): ReturnType<typeof graceRound> =>
    graceRound(decoder, instances, options, { endId: END, stopIds: [END] }, createRandom(5), nothing)
  const first = await round()
  const before = tf.memory().numTensors
  expect(await round()).toEqual(first)
  expect(tf.memory().numTensors).toBe(before)
  for (const one of first.rollouts.flat()) {
    const { contrast, consistency, hard } = one.terms
    expect(one.reward).toBeCloseTo(one.ended ? (contrast + 0.2 * consistency + 0.2 * hard) / 0.1 : -1, 5)
  }
  for (const row of first.rollouts) expect(row.reduce((sum, one) => sum + one.advantage, 0)).toBeCloseTo(0, 6)
  expect(first.metrics['rollout/unfinished']).toBe(first.rollouts.flat().filter((one) => !one.ended).length / 12)
})

test('λ₂ as printed does not reach the advantages; a term of each rollout does', async () => {
  const advantages = async (hard: number, hardTerm: GraceOptions['hardTerm']): Promise<number[]> =>
    (
      await graceRound(
        decoder,
        instances,
        { ...options, unfinishedReward: null, hardTerm, weights: { ...options.weights, hard } },
        { endId: END, stopIds: [END] },
        createRandom(5),
        nothing,
      )
    ).rollouts
      .flat()
      .map((one) => one.advantage)
  const without = await advantages(0, 'instance')
  const furthest = (other: readonly number[]): number =>
    Math.max(...without.map((value, at) => Math.abs(value - other[at]!)))
  expect(furthest(await advantages(0.2, 'instance'))).toBeLessThan(1e-6)
  expect(furthest(await advantages(0.2, 'rollout'))).toBeGreaterThan(1e-3)
})

test('unsupervised: the anchor is one more rationale of the text', async () => {
  const alone = instances.map((one) => ({ query: one.positive!, positive: null, negatives: [] }))
  const { rollouts, margin } = await graceRound(
    decoder,
    alone,
    { ...options, unfinishedReward: null },
    { endId: END, stopIds: [END] },
    createRandom(5),
    nothing,
  )
  expect([rollouts.length, rollouts[0]!.length, Number.isFinite(margin)]).toEqual([3, 4, true])
  expect(rollouts.flat().every((one) => one.terms.contrast <= 1.000001)).toBe(true)
})

test('the two objectives point the same way for rationales of one length, and micro-batches add up', async () => {
  const round = await graceRound(
    decoder,
    instances,
    { ...options, maxTokens: 1, unfinishedReward: null },
    { endId: END, stopIds: [END] },
    createRandom(5),
    nothing,
  )
  const groups = advantageGroups(round)
  const totals = { items: 3, weight: 3, tokens: 12 }
  const gradient = (objective: 'clipped' | 'sum', part = groups): number[] => {
    const batch = groupBatch(part, 4, 0, null)
    const { grads } = tf.variableGrads(
      () => graceStepLoss(decoder, batch, totals, { objective, clip: 0.2, dual: 3 }).loss,
      Object.values(decoder.variables),
    )
    return Object.values(decoder.variables).flatMap((variable) => [...grads[variable.name]!.dataSync()])
  }
  const sum = gradient('sum')
  const clipped = gradient('clipped')
  expect(Math.max(...sum.map(Math.abs))).toBeGreaterThan(1e-4)
  // One token a rationale: the mean over tokens is the mean over rollouts.
  for (const [at, value] of clipped.entries()) expect(Math.abs(value - sum[at]!)).toBeLessThan(1e-6)
  const parts = [gradient('clipped', groups.slice(0, 1)), gradient('clipped', groups.slice(1))]
  for (const [at, value] of clipped.entries())
    expect(Math.abs(value - parts[0]![at]! - parts[1]![at]!)).toBeLessThan(1e-6)
})

test.each(['grace', 'contrastive', 'language-model'])('%s has defaults and presets that its own schema takes', (id) => {
  const { config: schema, presets, metrics, mainMetric } = findContrastMethod(id)
  schema.parse({})
  for (const preset of presets) {
    schema.parse(preset.config)
    trainingConfig.partial().strict().parse(preset.training)
  }
  expect(metrics.map((metric) => metric.name)).toContain(mainMetric.replace(/^eval\//, ''))
})

test('held-out measures: a positive found first, one found third, and Spearman over three pairs', () => {
  const v = (x: number, y: number): Float32Array => Float32Array.of(x, y)
  const vectors: Readonly<Record<string, Float32Array>> = {
    q1: v(1, 0),
    q2: v(1, 0),
    right: v(1, 0),
    up: v(0, 1),
    between: v(1, 1),
  }
  const { margins, ndcg, wins } = measureTriples(
    [
      { query: 'q1', positive: 'right', negatives: ['up'] },
      { query: 'q2', positive: 'up', negatives: ['between'] },
    ],
    (text) => vectors[text]!,
  )
  expect([margins[0], margins[1]].map((value) => Number(value!.toFixed(4)))).toEqual([1, -0.7071])
  expect(wins).toEqual([1, 0])
  expect(ndcg.map((value) => Number(value.toFixed(4)))).toEqual([1, 0.5])
  expect(
    measureSimilarity([
      { first: v(1, 0), second: v(1, 0), score: 1 },
      { first: v(1, 0), second: v(1, 1), score: 0.5 },
      { first: v(1, 0), second: v(0, 1), score: 0 },
    ]),
  ).toBeCloseTo(1, 6)
  expect(measureSimilarity([])).toBeNull()
})

test('copies of a positive are no rivals of it, nor is the query, nor another positive of the same query', () => {
  const vectors = new Map(
    ['a', 'b', 'c', 'd'].map((text, at) => [
      text,
      Float32Array.from({ length: 4 }, (_none, axis) => (axis === at ? 1 : 0.1)),
    ]),
  )
  const measure = (triples: Parameters<typeof measureTriples>[0]) =>
    measureTriples(triples, (text) => vectors.get(text.replace('query ', ''))!)
  // Perfect vectors, one positive of three queries: each finds it first.
  const copies = measure(
    ['a', 'a', 'a', 'b'].map((text) => ({ query: `query ${text}`, positive: text, negatives: ['c', 'a'] })),
  )
  expect(copies.ndcg).toEqual([1, 1, 1, 1])
  expect(copies.wins).toEqual([1, 1, 1, 1])
  // Sentences that are each other's positives, and a query with two of them.
  expect(
    measure([
      { query: 'a', positive: 'b', negatives: [] },
      { query: 'b', positive: 'a', negatives: ['b'] },
    ]),
  ).toMatchObject({
    ndcg: [1, 1],
    margins: [],
  })
  const both = measure([
    { query: 'query a', positive: 'a', negatives: [] },
    { query: 'query a', positive: 'b', negatives: ['c'] },
    { query: 'query d', positive: 'd', negatives: [] },
  ])
  expect(both.ndcg[0]).toBe(both.ndcg[1])
})

test('ten updates on one round of rationales make the better ones likelier, by the clipped surrogate whose own value stands still', async () => {
  const pupil = createDecoder(config, createRandom(3))
  const optimizer = createOptimizer(
    { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0, clipNorm: 1 },
    pupil.variables,
  )
  const round = await graceRound(
    pupil,
    instances,
    { ...options, rollouts: 4, maxTokens: 3, unfinishedReward: null },
    { endId: END, stopIds: [END] },
    createRandom(5),
    nothing,
  )
  const batch = groupBatch(advantageGroups(round), 4, 0, null)
  const totals = {
    items: 3,
    weight: 3,
    tokens: round.rollouts.flat().reduce((sum, { row }) => sum + row.completion.length, 0),
  }
  const lossBy = (objective: 'clipped' | 'sum'): tf.Scalar =>
    graceStepLoss(pupil, batch, totals, { objective, clip: 0.2, dual: 3 }).loss
  const printed: number[] = [] // −Σ A log π
  const held: number[] = []
  for (let step = 0; step < 10; step += 1) {
    printed.push(tf.tidy(() => lossBy('sum').dataSync()[0]!))
    tf.tidy(() => {
      const { value, grads } = tf.variableGrads(() => lossBy('clipped'), Object.values(pupil.variables))
      optimizer.apply(
        Object.fromEntries(Object.entries(pupil.variables).map(([name, variable]) => [name, grads[variable.name]!])),
        0.02,
      )
      expect(Number.isFinite(value.dataSync()[0])).toBe(true)
    })
    held.push(tf.memory().numTensors)
  }
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length
  expect(mean(printed.slice(-3))).toBeLessThan(mean(printed.slice(0, 3)))
  expect(held.at(-1)).toBe(held.at(0))
  disposeBatch(batch)
  optimizer.dispose()
  pupil.dispose()
})
