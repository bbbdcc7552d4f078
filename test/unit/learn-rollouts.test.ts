import { describe, expect, test } from 'vitest'
import type { EncodedGroup } from '../../main/core/learn/batches.ts'
import type { GroupBatch } from '../../main/core/learn/define.ts'
import { findTextAlgorithm } from '../../main/core/learn/registry.ts'
import { rolloutMetrics } from '../../main/core/learn/sampling/rollout.ts'
import { tf } from '../../main/core/learn/tf.ts'
import { trainingConfig } from '../../shared/training-config.ts'
import { createOptimizer } from '../../main/core/learn/optimizer.ts'
import { minimizeParts } from '../../main/workers/trainer/minimize.ts'
import { groupTotals } from '../../main/core/learn/batch-totals.ts'
import { supportOf } from '../../main/workers/trainer/text/support.ts'
import { furthest, gradientOf, masked, openWith, writtenGroups } from '../support/written-groups.ts'

describe('methods whose policy writes', () => {
  test.each([2, 4])('RLOO is CoPG on what the policy wrote: the same gradient but for 1/k, k = %i', async (k) => {
    const { decoder, groups, batch } = await writtenGroups(k)
    const totals = groupTotals(groups)
    const whole = batch(groups)
    const copg = gradientOf(findTextAlgorithm('copg'), decoder, whole, totals, {
      beta: 0.3,
      samples: 'online',
      groupSize: k,
      rewards: { kind: 'length' },
    })
    const rloo = gradientOf(findTextAlgorithm('rloo'), decoder, whole, totals, { beta: 0.3, groupSize: k })
    expect(Math.max(...copg.map(Math.abs))).toBeGreaterThan(0.1)
    expect(furthest(copg, rloo, k)).toBeLessThan(1e-5)
  })

  test('off-policy REINFORCE has that gradient with the leave-one-out baseline alone', async () => {
    const { decoder, groups, batch } = await writtenGroups(3)
    const totals = groupTotals(groups)
    const of = (id: string, config: Record<string, unknown>): number[] =>
      gradientOf(findTextAlgorithm(id), decoder, batch(groups), totals, { beta: 0.3, groupSize: 3, ...config })
    const rloo = of('rloo', {})
    const gap = (baseline: string): number => furthest(rloo, of('reinforce', { baseline }))
    expect(gap('leave-one-out')).toBeLessThan(1e-6)
    for (const baseline of ['none', 'constant', 'value', 'group-mean'])
      expect([baseline, gap(baseline) > 0.01]).toEqual([baseline, true])
    // The group's mean is leave-one-out in a smaller size.
    expect(furthest(of('reinforce', { baseline: 'group-mean' }), rloo, 2 / 3)).toBeLessThan(1e-6)
  })

  test('GRPO without deviation, clip and KL is REINFORCE on tokens; the parts of a batch add up', async () => {
    const { decoder, groups, batch } = await writtenGroups(3)
    const totals = groupTotals(groups)
    const config = { beta: 0, normalize: false, average: 'seq-mean-token-sum', groupSize: 3 }
    const grpo = gradientOf(findTextAlgorithm('grpo'), decoder, batch(groups), totals, config)
    const plain = gradientOf(findTextAlgorithm('reinforce'), decoder, batch(groups), totals, {
      beta: 0,
      baseline: 'group-mean',
      groupSize: 3,
    })
    expect(furthest(grpo, plain)).toBeLessThan(1e-5)
    for (const aggregation of ['token-mean', 'seq-mean-token-mean', 'seq-mean-token-sum', 'constant']) {
      const whole = gradientOf(findTextAlgorithm('grpo'), decoder, batch(groups), totals, {
        groupSize: 3,
        average: aggregation,
      })
      const parts = [groups.slice(0, 1), groups.slice(1)].map((part) =>
        gradientOf(findTextAlgorithm('grpo'), decoder, batch(part), totals, { groupSize: 3, average: aggregation }),
      )
      expect([
        aggregation,
        furthest(
          whole,
          parts[0]!.map((value, at) => value + parts[1]![at]!),
        ) < 1e-5,
      ]).toEqual([aggregation, true])
    }
  })

  test.each([
    ['rloo', { beta: 0 }],
    ['copg', { beta: 1e-9, samples: 'online', rewards: { kind: 'length' } }],
    ['grpo', { average: 'seq-mean-token-mean' }],
    ['grpo', { average: 'constant' }],
  ] as const)('%s %j: masked completions carry no loss, and count in the baseline of the others', async (id, given) => {
    const { decoder, groups, batch } = await writtenGroups(4)
    const config = { ...given, groupSize: 4 }
    // Every second completion of a group is masked, or the others are: together they have the whole gradient.
    const gradient = (part: readonly EncodedGroup[]): number[] =>
      gradientOf(findTextAlgorithm(id), decoder, batch(part), groupTotals(groups), config)
    const whole = gradient(groups)
    const halves = [0, 1].map((half) => gradient(masked(groups, (at) => at % 2 === half)))
    expect(halves.every((half) => furthest(half, whole) > 0.01)).toBe(true)
    expect(
      furthest(
        whole,
        halves[0]!.map((value, at) => value + halves[1]![at]!),
      ),
    ).toBeLessThan(1e-5)
    // Nothing left, and no number is lost.
    const none = masked(groups, () => true)
    expect(groupTotals(none).tokens).toBe(0)
    const algorithm = findTextAlgorithm(id)
    const { loss, metrics } = algorithm.loss({
      network: decoder,
      batch: batch(none),
      totals: groupTotals(none),
      config: algorithm.config.parse(config),
    })
    const numbers = [loss, ...Object.values(metrics)].map((value) => value.dataSync()[0]!)
    expect(numbers.every(Number.isFinite)).toBe(true)
    expect([metrics['kl/k1'], metrics['kl/k3']].map((value) => value!.dataSync()[0])).toEqual([0, 0])
  })

  test('the distance to the reference is that of completions that count', async () => {
    const { decoder, groups, batch } = await writtenGroups(2)
    const algorithm = findTextAlgorithm('rloo')
    const distances = (part: readonly EncodedGroup[]): number => {
      const { metrics } = algorithm.loss({
        network: decoder,
        batch: batch(part),
        totals: groupTotals(part),
        config: algorithm.config.parse({ groupSize: 2 }),
      })
      return metrics['kl/k3']!.dataSync()[0]!
    }
    const first = masked(groups, (at) => at === 1)
    const alone = groups.map((group) => ({
      ...group,
      completions: group.completions.slice(0, 1),
      rewards: group.rewards.slice(0, 1),
    }))
    expect(distances(first)).toBeCloseTo(distances(alone), 5)
    expect(distances(first)).not.toBeCloseTo(distances(groups), 3)
  })

  test('rewards that only rows of the data have are turned down where the policy writes', () => {
    for (const kind of ['label', 'column']) {
      expect(findTextAlgorithm('rloo').config.safeParse({ rewards: { kind } }).success).toBe(false)
      expect(findTextAlgorithm('online-dpo').config.safeParse({ rewards: { kind } }).success).toBe(false)
      expect(findTextAlgorithm('copg').config.safeParse({ rewards: { kind }, samples: 'online' }).success).toBe(false)
      expect(findTextAlgorithm('copg').config.safeParse({ rewards: { kind } }).success).toBe(true)
    }
  })

  test.each([
    ['grpo', { groupSize: 2, updates: 2, rolloutTokens: 3 }],
    ['rloo', { groupSize: 2, rolloutTokens: 3 }],
    ['online-dpo', { rolloutTokens: 3 }],
  ] as const)('%s writes the same for a seed and a step, and leaves no tensor', async (id, given) => {
    const { decoder } = await writtenGroups(2)
    const algorithm = findTextAlgorithm(id)
    const config = algorithm.config.parse({ ...given, rewards: { kind: 'length', target: 2 } })
    const training = trainingConfig.parse({ maxLength: 16, microBatchSize: 1, batchSize: 2, steps: 4 })
    const rollouts = await openWith(decoder, id, config, training)
    const optimizer = createOptimizer(
      { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0, clipNorm: 1 },
      decoder.variables,
    )
    const step = async (number: number): Promise<void> => {
      const { parts, updates } = await rollouts.write([0, 1], number)
      for (let update = 0; update < updates; update += 1)
        await minimizeParts(
          decoder,
          optimizer,
          training,
          parts,
          (batch, totals) => algorithm.loss({ network: decoder, batch, totals, config }),
          () => undefined,
        )
    }
    expect((await rollouts.write([0, 1], 7)).metrics).toEqual((await rollouts.write([0, 1], 7)).metrics)
    await step(1)
    const before = tf.memory().numTensors
    for (const number of [2, 3, 4]) await step(number)
    await rollouts.evaluate()
    expect(tf.memory().numTensors).toBe(before)
  })

  test('what was cut is masked only where it is asked for; where everything was, there is no update, and it is said once', async () => {
    const { decoder } = await writtenGroups(2)
    const training = trainingConfig.parse({ maxLength: 16, microBatchSize: 2, batchSize: 2 })
    const write = async (given: object, warnings: string[] = []) => {
      const config = { groupSize: 2, rewards: { kind: 'length', target: 2 }, ...given }
      const rollouts = await openWith(
        decoder,
        'rloo',
        findTextAlgorithm('rloo').config.parse(config),
        training,
        warnings,
      )
      const steps = []
      for (const step of [1, 2, 3, 4]) steps.push(await rollouts.write([0, 1], step))
      return steps.map(({ parts, updates, metrics }) => {
        const batch = parts.make(0) as GroupBatch
        const tokens = batch.tokens.completion.sum(1).arraySync() as number[]
        const reference = tf.sum(tf.abs(batch.reference!), 1).arraySync() as number[]
        return {
          tokens,
          updates,
          unfinished: metrics['rollout/unfinished']!,
          counted: parts.totals.tokens,
          known: reference.map((value) => value > 0),
          rewards: batch.rewards.arraySync(),
        }
      })
    }
    const plain = await write({ rolloutTokens: 3 })
    const cut = await write({ rolloutTokens: 3, maskTruncated: true })
    expect(cut.map(({ rewards, unfinished }) => [rewards, unfinished])).toEqual(
      plain.map(({ rewards, unfinished }) => [rewards, unfinished]),
    )
    for (const [at, { tokens, unfinished, counted, known }] of cut.entries()) {
      expect(tokens.filter((count) => count === 0)).toHaveLength(4 * unfinished)
      expect(counted).toBe(tokens.reduce((sum, count) => sum + count, 0))
      expect(known).toEqual(tokens.map((count) => count > 0))
      expect(plain[at]!.tokens.every((count) => count > 0)).toBe(true)
    }
    expect(cut.some(({ unfinished }) => unfinished > 0 && unfinished < 1)).toBe(true)
    const warnings: string[] = []
    const one = await write({ rolloutTokens: 1, maskTruncated: true }, warnings)
    expect(one.map(({ updates }) => updates)).toEqual(one.map(({ unfinished }) => (unfinished === 1 ? 0 : 1)))
    expect(one.filter(({ unfinished }) => unfinished === 1).length).toBeGreaterThan(1)
    expect(warnings).toEqual([
      expect.stringContaining('was cut at the longest length and is masked: nothing was learned'),
    ])
    expect((await write({ rolloutTokens: 1 })).map(({ updates }) => updates)).toEqual([1, 1, 1, 1])
  })

  test('what was written is counted', () => {
    const one = (tokens: number, ended: boolean) => ({
      tokens,
      ended,
      logProbs: Array.from({ length: tokens }, () => -0.5),
    })
    expect(
      rolloutMetrics([
        { rewards: [1, 1], rawRewards: [4, 4], completions: [one(2, true), one(4, false)] },
        { rewards: [0, 1], rawRewards: [2, 6], completions: [one(3, true), one(3, true)] },
      ]),
    ).toEqual({
      'rollout/reward': 4,
      'rollout/tokens': 3,
      'rollout/unfinished': 0.25,
      'rollout/entropy': 0.5,
      'rollout/equal-rewards': 0.5,
    })
  })
})

test('support: what the reference writes and no logged completion has', () => {
  expect(
    supportOf(
      [
        [1, 2],
        [5, 2],
        [1, 6],
      ],
      [
        [1, 2, 3],
        [1, 4],
      ],
    ),
  ).toEqual({ unseenStarts: 1 / 3, unseenTokens: 2 / 6 })
})
