import { describe, expect, it } from 'vitest'
import { trainingConfig } from '../../shared/run-spec.ts'
import { PADDING } from '../../main/learn/algorithms/plackett-luce.ts'
import { createFeatureScorer } from '../../main/learn/models/scorers.ts'
import { createOptimizer } from '../../main/learn/optimizer.ts'
import { createRandom, type Random } from '../../main/learn/random.ts'
import { pickList, sublist, type CandidateList, type RankingAlgorithm, type RankingBatch } from '../../main/learn/ranking.ts'
import { measureRanking } from '../../main/learn/ranking-metrics.ts'
import { algorithms, isRankingAlgorithm } from '../../main/learn/registry.ts'
import { tf } from '../../main/learn/tf.ts'

// Every ranking method of the registry, on lists whose relevant documents have one feature more.

const FEATURES = 4
const rankers = algorithms.filter(isRankingAlgorithm)

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
      relevance, unlisted: list === 0 ? [1] : [],
      documents: relevance.map((grade) => features.push([grade + 0.3 * random.normal(), random.normal(), random.normal(), 1]) - 1),
    }
  })
  return { lists, features }
}

function train(algorithm: RankingAlgorithm, config: unknown, { lists, features }: Toy, steps: number): { readonly before: number; readonly after: number; readonly losses: readonly number[]; readonly tensors: readonly number[] } {
  const random = createRandom(1)
  const scorer = createFeatureScorer({ features: FEATURES, hidden: [], random })
  const optimizer = createOptimizer({ beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0, clipNorm: 0 }, scorer.variables)
  const padded = (some: readonly CandidateList[]): tf.Tensor2D => {
    const longest = Math.max(...some.map(({ documents }) => documents.length))
    return tf.stack(some.map(({ documents }) => tf.pad(scorer.score(tf.tensor2d(documents.map((document) => [...features[document]!]))), [[0, longest - documents.length]], PADDING))) as tf.Tensor2D
  }
  const ndcg = (): number => {
    const rows = tf.tidy(() => padded(lists).arraySync())
    return lists.reduce((sum, { relevance, unlisted }, at) => {
      const order = [...relevance.keys()].sort((a, b) => rows[at]![b]! - rows[at]![a]! || b - a)
      return sum + measureRanking(order.map((place) => relevance[place]!), unlisted, 3).ndcgLinear / lists.length
    }, 0)
  }
  const before = ndcg()
  const losses: number[] = []
  const tensors: number[] = []
  for (let step = 0; step < steps; step += 1) {
    const own: Random = random.fork(String(step))
    const some = lists.map((list, at) => sublist(list, algorithm.pick(list, config, own.fork(String(at)))))
    const batch: RankingBatch = { lists: some, gradeOf: (list, document) => lists[list]!.relevance[lists[list]!.documents.indexOf(document)] ?? 0 }
    const values = tf.tidy(() => padded(some).arraySync()).map((row, at) => row.slice(0, some[at]!.documents.length))
    const plan = algorithm.prepare?.(values, batch, config, own)?.plan ?? null
    tf.tidy(() => {
      const { value, grads } = tf.variableGrads(() => tf.mean(algorithm.loss({ own: padded(some), all: null }, batch, config, plan)), Object.values(scorer.variables))
      optimizer.apply(Object.fromEntries(Object.entries(scorer.variables).map(([name, variable]) => [name, grads[variable.name]!])), 0.05)
      losses.push(value.dataSync()[0]!)
    })
    tensors.push(tf.memory().numTensors)
  }
  const after = ndcg()
  optimizer.dispose()
  scorer.dispose()
  return { before, after, losses, tensors }
}

describe.each(rankers.map((algorithm) => [algorithm.id, algorithm] as const))('%s', (_id, algorithm) => {
  const config = algorithm.config.parse({ temperature: 1, cutoff: 3 })

  it('has defaults and presets that its own schema takes, and no two of one name', () => {
    algorithm.config.parse({})
    for (const preset of algorithm.presets) {
      algorithm.config.parse(preset.config)
      trainingConfig.partial().strict().parse(preset.training)
    }
    expect(new Set(algorithm.presets.map((preset) => preset.id)).size).toBe(algorithm.presets.length)
    const names = algorithm.metrics.map((metric) => metric.name)
    expect(new Set(names).size).toBe(names.length)
    expect(names).toContain(algorithm.mainMetric.replace(/^eval\//, ''))
  })

  it('learns which documents are relevant, without leaving tensors behind', () => {
    const { before, after, losses, tensors } = train(algorithm, config, toy(3), 60)
    expect(after).toBeGreaterThan(0.9)
    expect(after).toBeGreaterThan(before + 0.1)
    expect(tensors.at(-1)).toBe(tensors[2])
    for (const loss of losses) expect(Number.isFinite(loss)).toBe(true)
  })

  it('picks nothing where nothing is relevant', () => {
    expect(algorithm.pick({ documents: [0, 1], relevance: [0, 0], unlisted: [] }, config, createRandom(1))).toEqual([])
  })
})

describe('InfoNCE across lists', () => {
  it('contrasts with the other lists’ documents, and masks those known to be relevant', () => {
    const algorithm = rankers.find((one) => one.id === 'infonce')!
    const config = algorithm.config.parse({})
    const batch: RankingBatch = {
      lists: [{ documents: [0, 1], relevance: [1, 0], unlisted: [] }, { documents: [2], relevance: [1], unlisted: [] }],
      gradeOf: (list, document) => (list === 0 && document === 2 ? 1 : 0),
    }
    const losses = tf.tidy(() => algorithm.loss({ own: tf.zeros([2, 2]), all: tf.tensor2d([[1, 0.5, 3], [0, 0.2, 1]]) }, batch, config, null).arraySync())
    expect(losses[0]).toBeCloseTo(Math.log(1 + Math.exp(0.5 - 1)), 5) // document 2 is relevant to query 0 as well
    expect(losses[1]).toBeCloseTo(Math.log(Math.exp(0) + Math.exp(0.2) + Math.exp(1)) - 1, 5)
  })
})

describe('lists', () => {
  it('keep at most half for relevant documents, and all where they fit', () => {
    const list = { relevance: [1, 0, 2, 0, 1, 0, 1, 0] }
    for (let seed = 0; seed < 20; seed += 1) {
      const picked = pickList(list, 4, createRandom(seed))
      expect([picked.length, picked.filter((at) => list.relevance[at]! > 0).length]).toEqual([4, 2])
    }
    expect(pickList(list, 8, createRandom(1))).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
    expect(sublist({ documents: [7, 8, 9], relevance: [1, 0, 2], unlisted: [3] }, [1, 2])).toEqual({ documents: [8, 9], relevance: [0, 2], unlisted: [3, 1] })
  })
})
