import { expect, test } from 'vitest'
import type { GroupBatch } from '../../main/core/learn/define.ts'
import { groupTotals } from '../../main/core/learn/batch-totals.ts'
import { findTextAlgorithm } from '../../main/core/learn/registry.ts'
import { trainingConfig } from '../../shared/training-config.ts'
import { furthest, gradientOf, openWith, writtenGroups } from '../support/written-groups.ts'

test('Online DPO takes a penalty from the reward of what did not end, and reports the reward as it was', async () => {
  const { decoder } = await writtenGroups(2)
  const training = trainingConfig.parse({ maxLength: 16, microBatchSize: 2, batchSize: 2 })
  const write = async (missingEosPenalty: number) => {
    const config = { rolloutTokens: 3, rewards: { kind: 'length', target: 2 }, missingEosPenalty }
    const rollouts = await openWith(
      decoder,
      'online-dpo',
      findTextAlgorithm('online-dpo').config.parse(config),
      training,
    )
    const steps = []
    for (const step of [1, 2, 3, 4]) {
      const { parts, metrics } = await rollouts.write([0, 1], step)
      const { rewards } = parts.make(0) as GroupBatch
      steps.push({ rewards: [...rewards.dataSync<'float32'>()], metrics })
    }
    return steps
  }
  const [plain, less] = [await write(0), await write(8)]
  const taken = less.flatMap(({ rewards }, at) => rewards.map((reward, row) => plain[at]!.rewards[row]! - reward))
  const unfinished = plain.reduce((sum, { metrics }) => sum + 4 * metrics['rollout/unfinished']!, 0)
  expect(taken.filter((value) => value === 0)).toHaveLength(16 - unfinished)
  expect(taken.filter((value) => Math.abs(value - 8) < 1e-5)).toHaveLength(unfinished)
  expect(unfinished).toBeGreaterThan(0)
  expect(unfinished).toBeLessThan(16)
  expect(less.map(({ metrics }) => metrics['rollout/reward'])).toEqual(
    plain.map(({ metrics }) => metrics['rollout/reward']),
  )
})

test('Online DPO of one reward for both draws the two together, whichever was written first', async () => {
  const { decoder, groups, batch } = await writtenGroups(2)
  const gradient = (rewards: readonly number[]): number[] => {
    const given = groups.map((group) => ({ ...group, rewards }))
    return gradientOf(findTextAlgorithm('online-dpo'), decoder, batch(given), groupTotals(given), { beta: 0.3 })
  }
  // A tie is the mean of both verdicts, and by how much one is better makes no difference.
  const verdicts = [gradient([1, 0]), gradient([0, 1])]
  const half = verdicts[0]!.map((value, at) => (value + verdicts[1]![at]!) / 2)
  expect(furthest(gradient([0.5, 0.5]), half)).toBeLessThan(1e-6)
  expect(Math.max(...half.map(Math.abs))).toBeGreaterThan(1e-4)
  expect(gradient([100, -3])).toEqual(verdicts[0])
})
