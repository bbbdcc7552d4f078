import { expect, test } from 'vitest'
import { z } from 'zod'
import { runRequest } from '../../shared/run-spec.ts'
import { trainingConfig, type TrainingChanges } from '../../shared/training-config.ts'
import { groupHashOf, type Grouped } from '../../main/app/requests/group-hash.ts'
import { findAlgorithm } from '../../main/core/learn/registry.ts'

function hashOf(method: string, config: Grouped['config'], changes: Partial<Grouped> = {}): string {
  return groupHashOf(
    {
      request: runRequest.parse({ method, model: { kind: 'new' }, data: { datasetId: 'd' }, seeds: [1] }),
      algorithm: findAlgorithm(method),
      config,
      training: trainingConfig.parse({}),
      layout: 'tags',
      start: null,
      registered: null,
      rewardModel: null,
      judge: null,
      ...changes,
    },
    { viewHash: 'v' } as never, // all that it reads of a view
  )
}

// As they were before any setting came later: runs of that time stay in one group with those of today.
test.each([
  ['dpo', {}, 'b6a0c85e74433e7371cddef61db0bc7201389593681c02431fec4fc94e0f9c83'],
  ['grpo', {}, 'b42fc73f2a0fd777c03dd16dacff2b2a5a1b7efdd394e75a536a306d6e769a16'],
  ['rloo', {}, '404fd20ff6100292ded0c8fae5f087cfda41bdaabd3c89b1daa6ee491a554fb6'],
  [
    'copg',
    { samples: 'online', rewards: { kind: 'length', target: 100 } },
    '6b2274ad089839a1211f800cba31810c5121dad89aa2cd6df34890da259c7747',
  ],
] as const)('a run of %s with the settings of then is of the group of then', (method, asked, hash) => {
  expect(hashOf(method, findAlgorithm(method).config.parse(asked) as Grouped['config'])).toBe(hash)
})

test('a setting that came later makes a group of its own only at another value than the one of before', () => {
  const later = (asBefore: unknown, initial: unknown): Pick<Grouped, 'algorithm'> => ({
    algorithm: {
      data: 'response-pairs',
      config: z.strictObject({
        beta: z.number().default(0.1),
        later: z
          .json()
          .default(initial as never)
          .meta({ asBefore }),
      }),
    },
  })
  const before = hashOf('dpo', { beta: 0.1 })
  expect(hashOf('dpo', { beta: 0.1, later: false }, later(false, false))).toBe(before)
  expect(hashOf('dpo', { beta: 0.1, later: true }, later(false, false))).not.toBe(before)
  // What was always done may stop being the default.
  expect(hashOf('dpo', { beta: 0.1, later: 'old' }, later('old', 'new'))).toBe(before)
  expect(hashOf('dpo', { beta: 0.1, later: 'new' }, later('old', 'new'))).not.toBe(before)
  expect(hashOf('dpo', { beta: 0.1, later: false })).not.toBe(before) // a schema that says nothing of it
})

test('how a batch goes through the model, which fits it to a machine, makes no group; where it changes what is learned it does', () => {
  const hashes = (method: string, data: 'response-pairs' | 'rankings', changes: readonly TrainingChanges[]): number => {
    const { config } = findAlgorithm(method)
    expect(findAlgorithm(method).data).toBe(data)
    const all = changes.map((training) =>
      hashOf(method, config.parse({}) as Grouped['config'], { training: trainingConfig.parse(training) }),
    )
    return new Set(all).size
  }
  const ways = [
    {},
    { microBatchSize: 2 },
    { gradientCheckpointing: true },
    { adapt: 'full', frozenStorage: 'stored' },
  ] as const
  expect(hashes('dpo', 'response-pairs', ways)).toBe(1)
  expect(hashes('pg-rank', 'rankings', ways)).toBe(2)
  expect(hashes('dpo', 'response-pairs', [{}, { batchSize: 2 }, { frozenStorage: 'int8' }])).toBe(3)
})

test('a reference that moves makes a group of its own, and so does how it moves', () => {
  const config = findAlgorithm('dpo').config.parse({}) as Grouped['config']
  const hashes = [
    {},
    { referenceSyncEvery: 10 },
    { referenceSyncEvery: 20 },
    { referenceSyncEvery: 10, referenceMixup: 0.5 },
  ].map((training) => hashOf('dpo', config, { training: trainingConfig.parse(training) }))
  expect(new Set(hashes).size).toBe(4)
})
