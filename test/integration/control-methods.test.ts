import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { bc } from '../../main/core/learn/algorithms/bc.ts'
import { cpl } from '../../main/core/learn/algorithms/cpl.ts'
import { percentBc } from '../../main/core/learn/algorithms/percent-bc.ts'
import { piql } from '../../main/core/learn/algorithms/piql.ts'
import { preferredWeights, sftPref } from '../../main/core/learn/algorithms/sft-pref.ts'
import { drawPairs, topSegments } from '../../main/core/learn/control/control-batches.ts'
import { pairAccuracy, splitStages } from '../../main/core/learn/control/control-policy.ts'
import type { ControlTraining } from '../../main/core/learn/control/control-run.ts'
import { ROLL_OUT_INFO, type ControlMethod } from '../../main/core/learn/control/control.ts'
import { createRandom } from '../../main/core/learn/random.ts'
import { tf } from '../../main/core/learn/tf.ts'
import { CLEAR, startToyRun as start, TOY_TIME as TIME, toySet } from '../support/toy-segments.ts'

const METHODS: readonly (readonly [string, ControlMethod, Record<string, unknown>])[] = [
  ['CPL', cpl as unknown as ControlMethod, { alpha: 1 }],
  ['CPL, dense', cpl as unknown as ControlMethod, { alpha: 1, pairing: 'dense' }],
  ['CPL, rank', cpl as unknown as ControlMethod, { alpha: 1, pairing: 'rank', lambda: 0.75 }],
  ['CPL-KL', cpl as unknown as ControlMethod, { reference: true, alpha: 2, lambda: 0.75 }],
  ['CPL-BC', cpl as unknown as ControlMethod, { alpha: 1, bcWeight: 0.1, lambda: 1 }],
  ['BC', bc as unknown as ControlMethod, {}],
  ['%BC', percentBc as unknown as ControlMethod, { topShare: 0.2 }],
  ['SFT on preferred', sftPref as unknown as ControlMethod, {}],
  ['P-IQL', piql as unknown as ControlMethod, {}],
]

let before: number
beforeEach(() => {
  before = tf.memory().numTensors
})
afterEach(() => {
  expect(tf.memory().numTensors).toBe(before)
})

describe.each(METHODS)('%s', (_name, method, changes) => {
  it('falls on a toy problem, holds its tensors, and reports what its page lists', async () => {
    const set = toySet(40, CLEAR)
    const run = start(method, { ...changes, ...(method.id === 'sft-pref' ? { bcShare: 0 } : {}) }, 24)
    const reward: number[] = []
    const losses: { readonly stage: string; readonly loss: number }[] = []
    const names = new Set<string>()
    let held = 0
    for (let step = 0; step < 60; step += 1) {
      const { metrics, stage, gradNorm, steps } = await run.update(set)
      losses.push({ stage, loss: metrics['loss']! })
      if (metrics['reward/loss'] !== undefined) reward.push(metrics['reward/loss'])
      for (const name of Object.keys(metrics)) names.add(name)
      expect(gradNorm).toBeGreaterThan(0)
      expect(steps).toBe(48 * TIME)
      if (step === 40) held = tf.memory().numTensors
    }
    expect(tf.memory().numTensors).toBe(held)
    // Of P-IQL, the part whose target stands still.
    const last =
      reward.length > 0 ? reward : losses.filter(({ stage }) => stage === losses.at(-1)!.stage).map(({ loss }) => loss)
    const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length
    expect(mean(last.slice(-3))).toBeLessThan(mean(last.slice(0, 3)))
    const listed = method.metrics
      .map((metric) => metric.name)
      .filter((name) => ROLL_OUT_INFO.every((info) => info.name !== name))
    expect([...names].filter((name) => !listed.includes(name))).toEqual([])
    expect(listed.filter((name) => !names.has(name))).toEqual([])
    run.dispose()
  })

  it.each([10, 24, 40])('goes on from step %i as if it had never stopped', async (stop) => {
    const set = toySet()
    const whole = start(method, changes)
    for (let step = 0; step < stop; step += 1) await whole.update(set)
    const saved = await whole.save()
    const resumed = start(method, changes)
    resumed.restore(saved)
    for (let step = 0; step < 4; step += 1) expect(await resumed.update(set)).toEqual(await whole.update(set))
    expect(await resumed.save()).toEqual(await whole.save())
    expect(await resumed.act(Float32Array.of(0.3, -0.2), 2)).toEqual(await whole.act(Float32Array.of(0.3, -0.2), 2))
    whole.dispose()
    resumed.dispose()
  })
})

it('CPL moves toward the better actions, cloning stays with the data', async () => {
  const set = toySet(200)
  const slope = async (method: unknown, changes: Record<string, unknown>): Promise<number> => {
    const run = start(method as ControlMethod, changes, 8, 300) // a page of its own config
    for (let step = 0; step < 300; step += 1) await run.update(set)
    const [low, high] = await run.act(Float32Array.of(-0.5, 0.5), 2)
    run.dispose()
    return high! - low!
  }
  expect(await slope(bc, {})).toBeCloseTo(-0.3, 0)
  expect(await slope(cpl, { pairing: 'rank', bcShare: 0.2 })).toBeGreaterThan(0)
})

describe('batches', () => {
  const set = toySet()
  it('rank by score, halve ties, and take judged pairs as they are', () => {
    const tied = { ...set, scores: new Float64Array(set.count) }
    expect(drawPairs(tied, 'rank', null, 5, createRandom(1)).labels).toEqual([0.5, 0.5, 0.5, 0.5, 0.5])
    const ranked = drawPairs(set, 'rank', null, 50, createRandom(1))
    ranked.labels.forEach((label, pair) =>
      expect(label).toBe(
        Math.sign(set.scores[ranked.segments[50 + pair]!]! - set.scores[ranked.segments[pair]!]!) / 2 + 0.5,
      ),
    )
    const judged = drawPairs(set, 'comparison', null, 50, createRandom(2))
    judged.labels.forEach((label, pair) => {
      expect(judged.segments[50 + pair]).toBe(judged.segments[pair]! + set.count / 2)
      expect(label).toBe(set.comparisons!.secondPreferred[judged.segments[pair]!])
    })
    expect(() => drawPairs({ ...set, comparisons: null }, 'comparison', null, 1, createRandom(1))).toThrow(
      'no judged pairs',
    )
    expect(() => drawPairs(set, 'any', new Int32Array(), 1, createRandom(1))).toThrow('no segment')
    const pool = Int32Array.of(3, 5)
    expect([...new Set(drawPairs(set, 'any', pool, 30, createRandom(1)).segments)].sort()).toEqual([3, 5])
  })

  it('takes the best share, and both sides of a tie', () => {
    expect([...topSegments([1, 5, 3, 5], 0.5)]).toEqual([1, 3])
    expect([...topSegments([1, 2], 0.01)]).toEqual([1])
    const weights = tf.tidy(() =>
      preferredWeights({
        labels: [1, 0, 0.5],
        mask: tf.tensor2d([
          [1, 1],
          [1, 1],
          [1, 0],
          [1, 1],
          [1, 1],
          [1, 1],
        ]),
      }).arraySync(),
    )
    expect(weights).toEqual([
      [0, 0],
      [1, 1],
      [1, 0],
      [1, 1],
      [0, 0],
      [1, 1],
    ])
  })
})

/** The rate of each step. */
async function rates(
  method: unknown,
  changes: Record<string, unknown>,
  training: Partial<ControlTraining>,
): Promise<number[]> {
  const set = toySet(40)
  const run = start(method as ControlMethod, changes, 4, 20, { schedule: 'constant', ...training })
  const found: number[] = []
  for (let step = 0; step < 20; step += 1) found.push((await run.update(set)).learningRate)
  run.dispose()
  return found
}

it('has the rates of the official code: cloning at full rate, then CPL behind a warm-up, CPL-KL at a tenth', async () => {
  const training = { learningRate: 1e-4, warmupFraction: 0.25 }
  const tenths = (values: readonly number[]): number[] => values.map((value) => Math.round(value * 1e7) / 1e7)
  // Eight steps of cloning; three of twelve to warm up.
  const found = tenths(await rates(cpl, { bcShare: 0.4 }, training))
  expect(found.slice(0, 8)).toEqual(Array(8).fill(1e-4))
  expect(found[8]).toBeLessThan(1e-4)
  expect(found.slice(11)).toEqual(Array(9).fill(1e-4))
  const kl = tenths(await rates(cpl, { bcShare: 0.4, reference: true, rateAfterCloning: 0.1 }, training))
  expect([kl.slice(0, 8), kl.slice(11)]).toEqual([Array(8).fill(1e-4), Array(9).fill(1e-5)])
  // SFT goes on at the same rate where the preferred ones begin; so does IQL where the reward is fixed.
  const flat = { learningRate: 1e-4, warmupFraction: 0 }
  expect(tenths(await rates(sftPref, { bcShare: 0.4 }, flat))).toEqual(Array(20).fill(1e-4))
  const cosine = await rates(piql, { rewardShare: 0.1 }, { ...flat, schedule: 'cosine' })
  expect(cosine.every((rate, at) => at === 0 || rate < cosine[at - 1]!)).toBe(true)
})

it('P-IQL learns everything from its first step, the reward in the first stage alone', async () => {
  const set = toySet(40)
  const run = start(piql as unknown as ControlMethod, { rewardShare: 0.5 }, 4, 4)
  const names: string[][] = []
  for (let step = 0; step < 4; step += 1) names.push(Object.keys((await run.update(set)).metrics))
  run.dispose()
  expect(names.map((all) => [all.includes('reward/loss'), all.includes('iql/critic-loss')])).toEqual([
    [true, true],
    [true, true],
    [false, true],
    [false, true],
  ])
})

it('divides the steps, and counts only strict labels', () => {
  const both = [{ name: 'a' }, { name: 'b', continues: true, rate: 0.5 }] as const
  expect(splitStages(10, 0.4, both)).toEqual([
    { name: 'a', steps: 4 },
    { name: 'b', steps: 6, continues: true, rate: 0.5 },
  ])
  // Alone it has nothing to go on with.
  expect(splitStages(10, 0, both)).toEqual([{ name: 'b', steps: 10, rate: 0.5 }])
  expect(splitStages(1, 0.9, both)).toEqual([{ name: 'b', steps: 1, rate: 0.5 }])
  const accuracy = tf.tidy(
    () => pairAccuracy(tf.tensor1d([1, 2, 3, 4]), tf.tensor1d([2, 1, 9, 4]), [1, 1, 0.5, 0]).dataSync()[0],
  )
  expect(accuracy).toBeCloseTo(0.5, 6) // right, wrong, a tie in the label, half for equal scores
})
