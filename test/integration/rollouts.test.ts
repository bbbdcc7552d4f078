import { expect, test } from 'vitest'
import { readTail } from '../../main/base/files/tail.ts'
import { runPaths } from '../../main/base/run-folder/paths.ts'
import { killAfterCheckpoint } from '../support/kill-trainer.ts'
import {
  allEvents,
  exitOf,
  makeTinyRun,
  metricsByStep,
  only,
  spawnTrainer,
  tinyRows,
  weightsOf,
  type TinyOptions,
} from '../support/tiny-run.ts'
import { ownFolder } from '../support/own-folder.ts'

// Real training processes in which the policy writes its own completions.

const own = ownFolder('rollouts')

async function finish(options: TinyOptions): Promise<string> {
  const folder = makeTinyRun(own.path, { engine: 'wasm', ...options })
  expect([await exitOf(spawnTrainer(folder)), readTail(runPaths(folder).log, 5)]).toEqual([0, []])
  return folder
}

test('RLOO raises the reward of what it writes, and says what it wrote', async () => {
  const folder = await finish({
    method: 'rloo',
    config: { rewards: { kind: 'length', target: 3 }, groupSize: 4, rolloutTokens: 6, beta: 0.01 },
    training: { steps: 30, batchSize: 6, learningRate: 1e-2, evalEvery: 0 },
  })
  const metrics = metricsByStep(allEvents(folder))
  const reward = Object.values(metrics['rollout/reward']!) as number[]
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length
  expect(mean(reward.slice(-5))).toBeGreaterThan(mean(reward.slice(0, 5)) + 0.2)
  for (const name of [
    'rollout/tokens',
    'rollout/unfinished',
    'rollout/entropy',
    'rollout/equal-rewards',
    'advantages/size',
  ])
    expect(Object.keys(metrics[name]!), name).toHaveLength(30)
  for (const name of ['eval/rollout/reward', 'eval/rollout/reward_low', 'eval/rollout/kl', 'eval/rewards/accuracies'])
    expect(metrics[name]?.[30], name).toEqual(expect.any(Number))
  expect(allEvents(folder).filter((event) => event.type === 'fact')[0]).toMatchObject({
    facts: { rewardSource: 'length', rewardShift: 0, rewardDivisor: 1 },
  })
}, 120_000)

test('Online DPO raises the reward of what it writes', async () => {
  const folder = await finish({
    method: 'online-dpo',
    config: { rewards: { kind: 'length', target: 3 }, rolloutTokens: 6, beta: 0.05 },
    training: { steps: 40, batchSize: 6, learningRate: 1e-2, evalEvery: 0 },
  })
  const metrics = metricsByStep(allEvents(folder))
  const mean = (name: string, from: number, to?: number): number => {
    const values = Object.values(metrics[name]!).slice(from, to) as number[]
    return values.reduce((sum, value) => sum + value, 0) / values.length
  }
  expect(mean('rollout/reward', -8)).toBeGreaterThan(mean('rollout/reward', 0, 8) + 0.2)
  expect(metrics['loss']![1]).toBeCloseTo(Math.LN2, 5)
  for (const name of ['scores/margins', 'rewards/margins', 'rewards/accuracies', 'kl/k3', 'rollout/equal-rewards'])
    expect(Object.keys(metrics[name]!), name).toHaveLength(40)
  expect(metrics['eval/rollout/reward']?.[40]).toEqual(expect.any(Number))
}, 120_000)

test.each([
  ['copg', { samples: 'online', groupSize: 3, rolloutTokens: 3, rewards: { kind: 'length', target: 2 } }],
  ['grpo', { groupSize: 2, updates: 2, rolloutTokens: 3, rewards: { kind: 'length', target: 2 } }],
  ['kto', {}],
] as const)(
  '%s resumes bit for bit on the cpu engine',
  async (method, config) => {
    const options: TinyOptions = {
      method,
      config: { ...config },
      engine: 'cpu',
      rows: tinyRows(6, 2, 1),
      training: {
        steps: 4,
        batchSize: 2,
        microBatchSize: 1,
        evalEvery: 2,
        checkpointEvery: 2,
        keepCheckpoints: 9,
        samplePrompts: 0,
        maxLength: 14,
        dropout: 0.1,
      },
    }
    const whole = await finish({ ...options, runId: 'whole' })
    const folder = makeTinyRun(own.path, { ...options, runId: 'killed' })
    expect(await killAfterCheckpoint(folder, 2)).toBe('SIGKILL')
    expect(await exitOf(spawnTrainer(folder))).toBe(0)
    expect(metricsByStep(allEvents(folder))).toEqual(metricsByStep(allEvents(whole)))
    if (method === 'grpo')
      expect(
        Object.values(metricsByStep(allEvents(whole))['clip/share']!).every(
          (share) => share !== null && share >= 0 && share <= 1,
        ),
      ).toBe(true)
  },
  240_000,
)

test('of the logged completions only those that are held out are scored by the reference', async () => {
  const short = { steps: 1, evalEvery: 0, checkpointEvery: 0, samplePrompts: 0 } as const
  const scored = async (runId: string, method: string, config: TinyOptions['config'] = {}): Promise<number> => {
    const folder = await finish({ runId, method, config, training: short })
    return only(folder, 'phase').find((event) => event.phase === 'reference')!.total!
  }
  const writes = { groupSize: 2, rolloutTokens: 2, rewards: { kind: 'length', target: 2 } }
  // Kept over runs: what the first of them scored, the next one need not.
  expect(await scored('writes', 'rloo', writes)).toBeGreaterThan(0)
  expect(await scored('writes-again', 'copg', { ...writes, samples: 'online' })).toBe(0)
  expect(await scored('reads', 'dpo')).toBeGreaterThan(0)
  expect(await scored('reads-again', 'ipo')).toBe(0)
}, 120_000)

test('a step whose completions were all cut and masked leaves the weights as they are', async () => {
  const weightsAfter = async (maskTruncated: boolean): Promise<string[]> => {
    const folder = makeTinyRun(own.path, {
      engine: 'wasm',
      seed: 2,
      runId: `masked-${maskTruncated}`,
      method: 'grpo',
      config: { groupSize: 2, rolloutTokens: 1, rewards: { kind: 'length', target: 2 }, maskTruncated },
      training: {
        steps: 3,
        batchSize: 2,
        evalEvery: 0,
        checkpointEvery: 1,
        keepCheckpoints: 3,
        samplePrompts: 0,
        weightDecay: 0.1,
      },
    })
    expect(await exitOf(spawnTrainer(folder))).toBe(0)
    const metrics = metricsByStep(allEvents(folder))
    expect(metrics['rollout/unfinished']).toEqual({ 1: 1, 2: 1, 3: 1 }) // no first token of an untrained model ends an answer
    const warnings = allEvents(folder).filter((event) => event.type === 'warning')
    expect(warnings.map(({ message }) => message)).toEqual(
      maskTruncated ? [expect.stringContaining('nothing was learned from it')] : [],
    )
    return [1, 2, 3].map((step) => weightsOf(folder, step)['model.safetensors']!)
  }
  expect(new Set(await weightsAfter(true)).size).toBe(1)
  expect(new Set(await weightsAfter(false)).size).toBeGreaterThan(1)
}, 120_000)

test('CoPG on logged completions warns where the reference writes what they never show', async () => {
  const folder = makeTinyRun(own.path, {
    method: 'copg',
    engine: 'wasm',
    training: { steps: 1, evalEvery: 0, samplePrompts: 0 },
  })
  expect(await exitOf(spawnTrainer(folder))).toBe(0)
  const warnings = allEvents(folder).flatMap((event) => (event.type === 'warning' ? [event.message] : []))
  // An untrained model writes bytes at random; the data's answers begin with y or n.
  expect(warnings).toEqual([expect.stringContaining('begins as no logged completion does')])
})
