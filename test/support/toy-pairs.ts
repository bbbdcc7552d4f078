import type { Algorithm, BatchTotals, Network, PairBatch, TokenBatch } from '../../main/core/learn/define.ts'
import { tokenLogProbsFromLogits } from '../../main/core/learn/ops.ts'
import { createOptimizer } from '../../main/core/learn/optimizer.ts'
import { createRandom } from '../../main/core/learn/random.ts'
import { tf } from '../../main/core/learn/tf.ts'
import { isSurrogate, type ToyCourse } from './toy-course.ts'

// Pairs of completions for a network small enough to see through: a table of what follows what.

const VOCAB = 6
const TIME = 5

export interface Table extends Network {
  readonly variables: Readonly<Record<string, tf.Variable>>
}

export function tableNetwork(seed: number): Table {
  const random = createRandom(seed)
  const next = tf.variable(
    tf.tensor2d(Array.from({ length: VOCAB }, () => Array.from({ length: VOCAB }, () => 0.1 * random.normal()))),
  )
  const worth = tf.variable(tf.tensor2d(Array.from({ length: VOCAB }, () => [0.1 * random.normal()])))
  const oneHot = (ids: tf.Tensor2D): tf.Tensor2D => tf.reshape(tf.cast(tf.oneHot(ids, VOCAB), 'float32'), [-1, VOCAB])
  return {
    variables: { next, worth },
    tokenLogProbs: (tokens) =>
      tokenLogProbsFromLogits(tf.reshape(tf.matMul(oneHot(tokens.ids), next), [...tokens.ids.shape, VOCAB]), tokens),
    score: (tokens) =>
      tf.sum(
        tf.mul(tf.reshape<tf.Rank.R2>(tf.matMul(oneHot(tokens.ids), worth), tokens.ids.shape), tokens.completion),
        1,
      ),
  }
}

/** Preferred completions end in 1s, the others in 2s. */
export function pairBatch(
  pairs: number,
  changes: {
    readonly preference?: number[]
    readonly weight?: number[]
    /** For methods that judge each answer: P(good) of the two sides of a pair; null where they are compared. */
    readonly judged?: Judgments
  } = {},
  network?: Network,
): { batch: PairBatch; totals: (algorithm: Algorithm) => BatchTotals } {
  const random = createRandom(5)
  const rows = Array.from({ length: 2 * pairs }, (_, row) => [
    3 + random.int(3),
    3 + random.int(3),
    ...Array.from({ length: TIME - 2 }, () => (row < pairs ? 1 : 2)),
  ])
  const tokens: TokenBatch = {
    ids: tf.tensor2d(rows, undefined, 'int32'),
    attention: tf.ones([2 * pairs, TIME]),
    completion: tf.tensor2d(rows.map(() => [0, 0, 1, 1, 1])),
  }
  const preference = changes.preference ?? Array.from({ length: pairs }, () => 1)
  const weight = changes.weight ?? Array.from({ length: pairs }, () => 1)
  const batch: PairBatch = {
    kind: 'pairs',
    pairs,
    tokens,
    preference: tf.tensor1d(preference),
    strength: tf.ones([pairs]),
    weight: tf.tensor1d(weight),
    rewardChosen: tf.tensor1d(preference.map((p) => p - 0.5)),
    rewardRejected: tf.tensor1d(preference.map((p) => 0.5 - p)),
    reference: network === undefined ? tf.zeros([2 * pairs, TIME - 1]) : network.tokenLogProbs(tokens),
    mismatched: network === undefined ? null : mismatchedRows(rows, tokens, network),
    judged: changes.judged === undefined ? null : judgedSides(changes.judged),
  }
  const totals = (algorithm: Algorithm): BatchTotals => {
    const plain = plainTotals(algorithm)
    if (algorithm.before === undefined || network === undefined) return plain
    return {
      ...plain,
      before:
        algorithm.before({ network, batch, totals: plain, config: algorithm.config.parse({}) }).dataSync()[0] ?? NaN,
    }
  }
  const plainTotals = (algorithm: Algorithm): BatchTotals => {
    const sides = (p: number): readonly [number, number] =>
      algorithm.tokenWeights?.(p, 1, algorithm.config.parse({})) ?? [1, 1]
    return {
      items: pairs,
      rewardMean: 0,
      weight: weight.reduce((sum, one) => sum + one, 0),
      ...(changes.judged === undefined ? {} : { judged: judgedTotals(changes.judged, weight) }),
      tokens: preference.reduce((sum, p, at) => sum + (weight[at] ?? 0) * 3 * (sides(p)[0] + sides(p)[1]), 0),
    }
  }
  return { batch, totals }
}

type Judgments = readonly (readonly [number, number] | null)[]

function judgedSides(judged: Judgments): NonNullable<PairBatch['judged']> {
  return {
    compared: tf.tensor1d(judged.map((sides) => (sides === null ? 1 : 0))),
    good: tf.tensor1d([0, 1].flatMap((side) => judged.map((sides) => sides?.[side] ?? 0))),
  }
}

function judgedTotals(judged: Judgments, weight: readonly number[]): NonNullable<BatchTotals['judged']> {
  const sum = (of: (sides: readonly [number, number] | null) => number): number =>
    judged.reduce((total, sides, at) => total + weight[at]! * of(sides), 0)
  return {
    compared: sum((sides) => (sides === null ? 1 : 0)),
    good: sum((sides) => (sides === null ? 0 : sides[0] + sides[1])),
    bad: sum((sides) => (sides === null ? 0 : 2 - sides[0] - sides[1])),
  }
}

/** Each prompt with the completion of the row after it. */
function mismatchedRows(
  rows: readonly number[][],
  like: TokenBatch,
  network: Network,
): NonNullable<PairBatch['mismatched']> {
  const tokens = {
    ...like,
    ids: tf.tensor2d(
      rows.map((row, at) => [...row.slice(0, 2), ...rows[(at + 1) % rows.length]!.slice(2)]),
      undefined,
      'int32',
    ),
  }
  return { tokens, reference: network.tokenLogProbs(tokens) }
}

export function slicePairs(batch: PairBatch, from: number, count: number): PairBatch {
  const rows = (x: tf.Tensor2D): tf.Tensor2D =>
    tf.concat([tf.slice(x, [from, 0], [count, -1]), tf.slice(x, [batch.pairs + from, 0], [count, -1])])
  const items = (x: tf.Tensor1D): tf.Tensor1D => tf.slice(x, [from], [count])
  return {
    kind: 'pairs',
    pairs: count,
    tokens: {
      ids: rows(batch.tokens.ids),
      attention: rows(batch.tokens.attention),
      completion: rows(batch.tokens.completion),
    },
    preference: items(batch.preference),
    strength: items(batch.strength),
    weight: items(batch.weight),
    rewardChosen: items(batch.rewardChosen),
    rewardRejected: items(batch.rewardRejected),
    reference: batch.reference === null ? null : rows(batch.reference),
    mismatched:
      batch.mismatched == null
        ? null
        : {
            tokens: {
              ids: rows(batch.mismatched.tokens.ids),
              attention: rows(batch.mismatched.tokens.attention),
              completion: rows(batch.mismatched.tokens.completion),
            },
            reference: rows(batch.mismatched.reference),
          },
    judged:
      batch.judged == null
        ? null
        : {
            compared: items(batch.judged.compared),
            good: tf.concat([items(batch.judged.good), tf.slice(batch.judged.good, [batch.pairs + from], [count])]),
          },
  }
}

/** The same pairs with the other side called chosen, and labels and rewards to match. */
export function turnPairs(batch: PairBatch): PairBatch {
  const rows = (x: tf.Tensor2D): tf.Tensor2D =>
    tf.concat([tf.slice(x, [batch.pairs, 0], [batch.pairs, -1]), tf.slice(x, [0, 0], [batch.pairs, -1])])
  const turned = ({ ids, attention, completion }: TokenBatch): TokenBatch => ({
    ids: rows(ids),
    attention: rows(attention),
    completion: rows(completion),
  })
  return {
    ...batch,
    tokens: turned(batch.tokens),
    preference: tf.sub(1, batch.preference),
    rewardChosen: batch.rewardRejected,
    rewardRejected: batch.rewardChosen,
    reference: batch.reference === null ? null : rows(batch.reference),
    mismatched:
      batch.mismatched == null
        ? null
        : { tokens: turned(batch.mismatched.tokens), reference: rows(batch.mismatched.reference) },
  }
}

export function numbersOf(metrics: Readonly<Record<string, tf.Scalar>>): Record<string, number> {
  return Object.fromEntries(Object.entries(metrics).map(([name, scalar]) => [name, scalar.dataSync()[0] ?? NaN]))
}

/** Forty steps on pairs of which the preferred one ends in 1s. */
export function learnToyPairs(algorithm: Algorithm): ToyCourse {
  const config = algorithm.config.parse({})
  const network = tableNetwork(3)
  const { batch, totals } = pairBatch(8, {}, network)
  const context = { network, batch, totals: totals(algorithm), config }
  const optimizer = createOptimizer(
    { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0, clipNorm: 1 },
    network.variables,
  )
  const names = Object.entries(network.variables)
  // By which order it gives the answers, whatever its runs are judged by.
  const judgedBy =
    algorithm.rollout?.(config) != null
      ? 'rewards/accuracies'
      : algorithm.mainMetric === 'eval/loss'
        ? 'logps/accuracies'
        : algorithm.mainMetric.replace(/^eval\//, '')
  const accuracy = (): number => numbersOf(algorithm.loss({ ...context, evaluating: true }).metrics)[judgedBy]!
  const before = accuracy()
  const losses: number[] = []
  const tensors: number[] = []
  for (let round = 0; round < 42; round += 1) {
    losses.push(
      tf.tidy(() => {
        const { value, grads } = tf.variableGrads(() => algorithm.loss(context).loss, Object.values(network.variables))
        optimizer.apply(
          Object.fromEntries(names.map(([name, variable]) => [name, grads[variable.name] ?? tf.zerosLike(variable)])),
          0.05,
        )
        return value.dataSync()[0] ?? NaN
      }),
    )
    tensors.push(tf.memory().numTensors)
  }
  const metrics = numbersOf(algorithm.loss({ ...context, evaluating: true }).metrics)
  return {
    losses: isSurrogate(algorithm) ? [1 - before, 1 - metrics[judgedBy]!] : losses,
    tensors,
    values: Object.values(metrics),
    score: { before, after: metrics[judgedBy]!, atLeast: 1 },
  }
}
