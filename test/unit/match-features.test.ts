import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  createTermWeights,
  createLatentSpace,
  latentCosines,
  sparseProducts,
} from '../../main/core/learn/ranking/lsa.ts'
import { createMatchModel, MATCH_FEATURES } from '../../main/core/learn/ranking/match-features.ts'
import { stem, stemmedTerms, termPairs } from '../../main/core/learn/ranking/lexical.ts'
import { createFeatureScorer } from '../../main/core/learn/models/scorers.ts'
import { createRandom } from '../../main/core/learn/random.ts'
import { tf } from '../../main/core/learn/tf.ts'

const DOCUMENTS = [
  'the wing of an aeroplane in a slipstream',
  'lift of wings at supersonic speed',
  'heat conduction in composite slabs',
  'conduction of heat through a composite wall',
  'boundary layers on a flat plate',
  'laminar boundary layer flow past plates',
]

describe('terms', () => {
  it('are stemmed, without stop words', () => {
    expect(['wings', 'boundaries', 'heated', 'plates', 'flow', 'mass'].map(stem)).toEqual([
      'wing',
      'boundar',
      'heat',
      'plat',
      'flow',
      'mass',
    ])
    expect(stemmedTerms('The Heating of the plates, and a 3 wings')).toEqual(['heat', 'plat', 'wing'])
    expect(termPairs(['a', 'b', 'c'])).toEqual(['a b', 'b c'])
  })
})

describe('latent space', () => {
  const weights = createTermWeights(DOCUMENTS.map(stemmedTerms))
  const vectors = DOCUMENTS.map((text) => weights.vectorOf(stemmedTerms(text)))
  let before = 0
  beforeAll(() => {
    before = tf.memory().numTensors
  })
  afterAll(() => expect(tf.memory().numTensors).toBe(before))

  it('of full rank keeps every inner product', async () => {
    const space = await createLatentSpace(vectors, DOCUMENTS.length, createRandom(1))
    const cosines = latentCosines(space.documents, space.documents, space.rank, space.rank)
    const plain = sparseProducts(vectors, vectors)
    for (const [at, value] of plain.entries()) expect(cosines[at]).toBeCloseTo(value, 3)
    expect(Array.from(space.fold([vectors[2]!])).map((value) => value.toFixed(3))).toEqual(
      Array.from(space.documents.subarray(2 * space.rank, 3 * space.rank)).map((value) => value.toFixed(3)),
    )
  })

  it('of low rank brings texts of one subject together, and does not depend on the start', async () => {
    const [one, other] = await Promise.all([1, 2].map((seed) => createLatentSpace(vectors, 3, createRandom(seed))))
    const cosines = [one!, other!].map((space) => latentCosines(space.documents, space.documents, 3, 3))
    for (const [at, value] of cosines[0]!.entries()) expect(value).toBeCloseTo(cosines[1]![at]!, 2)
    expect(cosines[0]![2 * 6 + 3]).toBeGreaterThan(0.9)
    expect(Math.abs(cosines[0]![2 * 6 + 4]!)).toBeLessThan(0.3)
  })
})

describe('match features', () => {
  it('put the document first that the query is about, each standardized over the collection', async () => {
    const all = (await createMatchModel({ documents: DOCUMENTS, random: createRandom(1) })).features([
      'heat conduction of slabs',
      'nothing known here zzz',
    ])
    expect(all).toHaveLength(MATCH_FEATURES.length)
    for (const [feature, matrix] of all.entries()) {
      const row = Array.from(matrix.subarray(0, 6))
      expect([2, 3], MATCH_FEATURES[feature]).toContain(row.indexOf(Math.max(...row)))
      expect(row.reduce((sum, value) => sum + value, 0)).toBeCloseTo(0, 4)
      for (const value of matrix) expect(Number.isFinite(value)).toBe(true)
    }
  })
})

describe('feature scorers', () => {
  it('begin at 0 when linear, are seeded otherwise, and free what they hold', () => {
    const before = tf.memory().numTensors
    const linear = createFeatureScorer({ features: 3, hidden: [], random: createRandom(1) })
    const [one, same] = [1, 1].map((seed) =>
      createFeatureScorer({ features: 3, hidden: [4, 2], random: createRandom(seed) }),
    )
    tf.tidy(() => {
      const x = tf.tensor2d([
        [1, 2, 3],
        [0, -1, 1],
      ])
      expect(Array.from(linear.score(x).dataSync())).toEqual([0, 0])
      expect(Array.from(one!.score(x).dataSync())).toEqual(Array.from(same!.score(x).dataSync()))
    })
    expect(Object.keys(one!.variables)).toEqual([
      'layers.0.weight',
      'layers.0.bias',
      'layers.1.weight',
      'layers.1.bias',
      'layers.2.weight',
    ])
    for (const scorer of [linear, one!, same!]) scorer.dispose()
    expect(tf.memory().numTensors).toBe(before)
  })
})
