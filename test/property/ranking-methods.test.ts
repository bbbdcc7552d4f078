import { describe, expect, it } from 'vitest'
import { trainingConfig } from '../../shared/training-config.ts'
import { createRandom } from '../../main/core/learn/random.ts'
import { pickList, sublist, type RankingBatch } from '../../main/core/learn/ranking/ranking.ts'
import { algorithms, isRankingAlgorithm } from '../../main/core/learn/registry.ts'
import { tf } from '../../main/core/learn/tf.ts'

// Every ranking method of the registry. That each learns its toy problem is in integration/registry.test.ts.

const rankers = algorithms.filter(isRankingAlgorithm)

describe.each(rankers.map((algorithm) => [algorithm.id, algorithm] as const))('%s', (_id, algorithm) => {
  const config = algorithm.config.parse({ cutoff: 3 })

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

  it('picks nothing where nothing is relevant', () => {
    expect(algorithm.pick({ documents: [0, 1], relevance: [0, 0], unlisted: [] }, config, createRandom(1))).toEqual([])
  })
})

describe('InfoNCE across lists', () => {
  it('contrasts with the other lists’ documents, and masks those known to be relevant', () => {
    const algorithm = rankers.find((one) => one.id === 'infonce')!
    const config = algorithm.config.parse({})
    const batch: RankingBatch = {
      lists: [
        { documents: [0, 1], relevance: [1, 0], unlisted: [] },
        { documents: [2], relevance: [1], unlisted: [] },
      ],
      gradeOf: (list, document) => (list === 0 && document === 2 ? 1 : 0),
    }
    const losses = tf.tidy(() =>
      algorithm
        .loss(
          {
            own: tf.zeros([2, 2]),
            all: tf.tensor2d([
              [1, 0.5, 3],
              [0, 0.2, 1],
            ]),
          },
          batch,
          config,
          null,
        )
        .arraySync(),
    )
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
    expect(sublist({ documents: [7, 8, 9], relevance: [1, 0, 2], unlisted: [3] }, [1, 2])).toEqual({
      documents: [8, 9],
      relevance: [0, 2],
      unlisted: [3, 1],
    })
  })
})
