import { PADDING } from '../../main/core/learn/algorithms/plackett-luce.ts'
import { createFeatureScorer } from '../../main/core/learn/models/scorers.ts'
import { createOptimizer } from '../../main/core/learn/optimizer.ts'
import { createRandom, type Random } from '../../main/core/learn/random.ts'
import {
  sublist,
  type CandidateList,
  type RankingAlgorithm,
  type RankingBatch,
} from '../../main/core/learn/ranking/ranking.ts'
import { measureRanking } from '../../main/core/learn/ranking/ranking-metrics.ts'
import { tf } from '../../main/core/learn/tf.ts'
import { isSurrogate, type ToyCourse } from './toy-course.ts'

// Lists whose relevant documents have more of one feature, for a linear scorer.

const FEATURES = 4

interface Toy {
  readonly lists: readonly CandidateList[]
  /** By document. */
  readonly features: readonly (readonly number[])[]
}

function toy(seed: number, count = 6, size = 5): Toy {
  const random = createRandom(seed)
  const features: number[][] = []
  const lists = Array.from({ length: count }, (_none, list): CandidateList => {
    const relevance = random.shuffle([2, 1, 0, 0, 0].slice(0, size))
    return {
      relevance,
      unlisted: list === 0 ? [1] : [],
      documents: relevance.map(
        (grade) => features.push([grade + 0.3 * random.normal(), random.normal(), random.normal(), 1]) - 1,
      ),
    }
  })
  return { lists, features }
}

function train(
  algorithm: RankingAlgorithm,
  config: unknown,
  { lists, features }: Toy,
  steps: number,
): {
  readonly before: number
  readonly after: number
  readonly losses: readonly number[]
  readonly tensors: readonly number[]
} {
  const random = createRandom(1)
  const scorer = createFeatureScorer({ features: FEATURES, hidden: [], random })
  const optimizer = createOptimizer(
    { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0, clipNorm: 0 },
    scorer.variables,
  )
  const padded = (some: readonly CandidateList[]): tf.Tensor2D => {
    const longest = Math.max(...some.map(({ documents }) => documents.length))
    return tf.stack(
      some.map(({ documents }) =>
        tf.pad(
          scorer.score(tf.tensor2d(documents.map((document) => [...features[document]!]))),
          [[0, longest - documents.length]],
          PADDING,
        ),
      ),
    ) as tf.Tensor2D
  }
  const ndcg = (): number => {
    const rows = tf.tidy(() => padded(lists).arraySync())
    return lists.reduce((sum, { relevance, unlisted }, at) => {
      const order = [...relevance.keys()].sort((a, b) => rows[at]![b]! - rows[at]![a]! || b - a)
      return (
        sum +
        measureRanking(
          order.map((place) => relevance[place]!),
          unlisted,
          3,
        ).ndcgLinear /
          lists.length
      )
    }, 0)
  }
  const before = ndcg()
  const losses: number[] = []
  const tensors: number[] = []
  for (let step = 0; step < steps; step += 1) {
    const own: Random = random.fork(String(step))
    const some = lists.map((list, at) => sublist(list, algorithm.pick(list, config, own.fork(String(at)))))
    const batch: RankingBatch = {
      lists: some,
      gradeOf: (list, document) => lists[list]!.relevance[lists[list]!.documents.indexOf(document)] ?? 0,
    }
    const values = tf.tidy(() => padded(some).arraySync()).map((row, at) => row.slice(0, some[at]!.documents.length))
    const plan = algorithm.prepare?.(values, batch, config, own)?.plan ?? null
    tf.tidy(() => {
      const { value, grads } = tf.variableGrads(
        () => tf.mean(algorithm.loss({ own: padded(some), all: null }, batch, config, plan)),
        Object.values(scorer.variables),
      )
      optimizer.apply(
        Object.fromEntries(Object.entries(scorer.variables).map(([name, variable]) => [name, grads[variable.name]!])),
        0.05,
      )
      losses.push(value.dataSync()[0]!)
    })
    tensors.push(tf.memory().numTensors)
  }
  const after = ndcg()
  optimizer.dispose()
  scorer.dispose()
  return { before, after, losses, tensors }
}

/** Sixty steps. */
export function learnToyLists(algorithm: RankingAlgorithm): ToyCourse {
  const { before, after, losses, tensors } = train(
    algorithm,
    algorithm.config.parse({ temperature: 1, cutoff: 3 }),
    toy(3),
    60,
  )
  return {
    losses: isSurrogate(algorithm) ? [1 - before, 1 - after] : losses,
    tensors,
    values: losses,
    score: { before: before + 0.1, after, atLeast: 0.9 },
  }
}
