import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { CHECKPOINT_FILES } from '../../main/core/models/checkpoint-files.ts'
import { findAlgorithm } from '../../main/core/learn/registry.ts'
import { readMeasuredItems } from '../../main/base/run-folder/held-out-items.ts'
import { checkpointFolder } from '../../main/base/run-folder/paths.ts'
import type { TrainingChanges } from '../../shared/training-config.ts'
import { tinyRunOf } from '../support/tiny-data.ts'
import { allEvents, makeTinyRun, metricsByStep, only, tinyRows, type TinyOptions } from '../support/tiny-run.ts'
import { trainHere } from '../support/train-here.ts'

// Which checkpoint is the best, by which numbers, and what the test side says of it.

let root: string
beforeAll(() => {
  root = mkdtempSync(path.join(tmpdir(), 'pairlab selection '))
})
afterAll(() => rmSync(root, { recursive: true, force: true }))

let made = 0
async function run({ training, ...options }: TinyOptions): Promise<string> {
  const folder = makeTinyRun(root, {
    runId: `run-${(made += 1)}`,
    ...options,
    training: { schedule: 'constant', warmupFraction: 0, ...training },
  })
  await trainHere(folder)
  return folder
}

interface Best {
  readonly step: number | null
  readonly value: number | null
  readonly by: string | null
}

function bestOf(folder: string): Best {
  const facts = Object.assign({}, ...only(folder, 'fact').map((event) => event.facts)) as Record<string, never>
  return { step: facts['bestStep'] ?? null, value: facts['bestValue'] ?? null, by: facts['bestBy'] ?? null }
}

/** Numbers of the test side at a step. */
function testAt(folder: string, step: number): Record<string, number | null> {
  return Object.fromEntries(
    Object.entries(metricsByStep(allEvents(folder)))
      .filter(([name, values]) => name.startsWith('test/') && step in values)
      .map(([name, values]) => [name, values[step] ?? null]),
  )
}

/** Rates at which each soon goes wrong. */
const COURSES: readonly (readonly [name: string, method: string, options: TinyOptions, behind: readonly string[]])[] = [
  ['all weights', 'sft', { training: { learningRate: 0.03 } }, ['logps/accuracies']],
  [
    'a reward of fresh completions',
    'copg',
    { config: { rewards: { kind: 'length', target: 1 } } },
    ['rewards/accuracies', 'rewards/margins', 'rollout/reward'],
  ],
  ['adapters', 'dpo', { training: { adapt: 'lora', loraRank: 2, learningRate: 0.2 } }, ['rewards/accuracies']],
  ['a reference that follows', 'dpo', { training: { referenceSyncEvery: 2, learningRate: 0.03 } }, ['rewards/margins']],
  ['a ranker', 'pg-rank', { training: { learningRate: 0.5 } }, ['ndcg', 'mrr', 'recall']],
  ['a policy that acts', 'bc', { training: { learningRate: 0.3 } }, ['preferences/accuracy']],
  ['an embedder', 'contrastive', { training: { learningRate: 0.03 } }, ['embed/ndcg', 'embed/wins']],
]

describe.each(COURSES)('%s', (_name, method, { training, config }, behind) => {
  const tiny = tinyRunOf(findAlgorithm(method))
  const options = (steps: number, changes: TrainingChanges = {}): TinyOptions => ({
    ...tiny,
    ...(tiny.rows !== undefined && 'prompt' in tiny.rows[0]! ? { rows: tinyRows(4, 3, 3) } : {}),
    config: { ...tiny.config, ...config },
    training: { ...tiny.training, ...training, evalEvery: 1, checkpointEvery: 1, ...changes, steps },
  })

  test('the test side is measured under the best weights as if the run had ended with them, and under the last', async () => {
    const folder = await run(options(6))
    const { step } = bestOf(folder)
    expect(step).not.toBeNull()
    const last = testAt(folder, 6)
    expect(Object.keys(last).length).toBeGreaterThan(0)
    expect(Object.keys(testAt(folder, step!))).toEqual(Object.keys(last))
    expect(step).toBeLessThan(6)
    const ended = await run(step === 0 ? options(1, { learningRate: 1e-30 }) : options(step!))
    expect(testAt(folder, step!)).toEqual(testAt(ended, Math.max(1, step!)))
    expect(only(folder, 'checkpoint').some((event) => event.step === 0)).toBe(true)
    expect(only(folder, 'checkpoint').findLast((event) => event.best)!.step).toBe(step)
    // What is behind the means lies beside the checkpoints, under both.
    for (const at of [step!, 6]) {
      const found = readMeasuredItems(folder, 'test', at)!
      expect(new Set(found.ids).size).toBe(found.ids.length)
      for (const [name, { value, weight }] of Object.entries(found.metrics)) {
        if (name === 'longer_by') continue // of the data, not of the run
        const all = weight.reduce((sum, one) => sum + one, 0)
        const mean = value.reduce((sum, one, item) => sum + one * weight[item]!, 0) / all
        expect([name, mean]).toEqual([name, expect.closeTo(testAt(folder, at)[`test/${name}`]!, 6)])
      }
      expect(Object.keys(found.metrics)).toEqual(expect.arrayContaining([...behind]))
    }
    expect(Object.keys(readMeasuredItems(folder, 'eval', 6)!.metrics)).toEqual(expect.arrayContaining([...behind]))
  })
})

test('what is measured on pairs of a prompt goes together by it, and ties have no accuracy', async () => {
  const tiny = tinyRunOf(findAlgorithm('dpo'))
  const rows = tinyRows(4, 3, 12)
  const folder = await run({ ...tiny, rows, training: { ...tiny.training, steps: 1, evalEvery: 0 } })
  const { ids, clusters, metrics } = readMeasuredItems(folder, 'test', 1)!
  const held = rows.filter(({ split }) => split === 'test')
  expect(Object.fromEntries(ids.map((id, at) => [id, clusters[at]]))).toEqual(
    Object.fromEntries(held.map(({ pairId, prompt }) => [pairId, prompt])),
  )
  expect(new Set(clusters).size).toBeLessThan(ids.length)
  const strict = held.filter(({ preferenceA }) => preferenceA !== 0.5)
  expect([strict.length < held.length, metrics['rewards/accuracies']!.at.length]).toEqual([true, strict.length])
})

test('a ranker keeps the measures of each test query under both', async () => {
  const tiny = tinyRunOf(findAlgorithm('pg-rank'))
  const folder = await run({
    ...tiny,
    training: { ...tiny.training, steps: 6, evalEvery: 1, checkpointEvery: 1, learningRate: 0.5 },
  })
  const { step } = bestOf(folder)
  const meanOf = (name: string): number => {
    const rows = JSON.parse(readFileSync(path.join(folder, 'rankings', `${name}-queries.json`), 'utf8')) as {
      readonly ndcg: number
    }[]
    return rows.reduce((sum, { ndcg }) => sum + ndcg, 0) / rows.length
  }
  expect([meanOf('best-test'), meanOf('test')]).toEqual([
    testAt(folder, step!)['test/ndcg'],
    testAt(folder, 6)['test/ndcg'],
  ])
})

const short = { ...tinyRunOf(findAlgorithm('sft')), rows: tinyRows(6, 6, 3) }
const steady = { ...short.training, evalEvery: 1, checkpointEvery: 1, evalPairs: 2, learningRate: 0.005 }

test('the last step is chosen among like measurements: by the share of the validation side that those before it were measured on', async () => {
  const folder = await run({ ...short, training: { ...steady, steps: 4 } })
  const longer = await run({ ...short, training: { ...steady, steps: 6 } })
  const loss = metricsByStep(allEvents(folder))['eval/loss']!
  const between = metricsByStep(allEvents(longer))['eval/loss']!
  expect([0, 1, 2, 3].map((step) => loss[step])).toEqual([0, 1, 2, 3].map((step) => between[step]))
  expect(loss[4]).not.toBe(between[4]) // all of the side against two of it
  expect(bestOf(folder)).toEqual({ step: 4, value: between[4], by: 'eval/loss' })
})

test('where only a test side is held out, no checkpoint is chosen by it', async () => {
  const folder = await run({ ...short, rows: tinyRows(6, 0, 6), training: { ...steady, steps: 3 } })
  expect(metricsByStep(allEvents(folder))['eval/loss']).toHaveProperty('1')
  expect(bestOf(folder)).toEqual({ step: null, value: null, by: null })
  expect(only(folder, 'checkpoint').map((event) => [event.step, event.best])).toEqual([
    [1, false],
    [2, false],
    [3, false],
  ])
})

test('a best checkpoint that was damaged is passed over, and the last one is measured all the same', async () => {
  const options = { ...short, training: { ...steady, steps: 4, learningRate: 0.5 } }
  const folder = makeTinyRun(root, { runId: `run-${(made += 1)}`, ...options })
  await trainHere(folder, 3)
  const { step } = bestOf(folder)
  expect(step).toBeLessThan(3)
  writeFileSync(path.join(checkpointFolder(folder, step!), CHECKPOINT_FILES.weights), 'no weights')
  expect(await trainHere(folder)).toMatchObject({ outcome: 'finished' })
  expect(bestOf(folder).step).toBe(step)
  expect(Object.keys(testAt(folder, 4))).toContain('test/loss')
  expect(testAt(folder, step!)).toEqual({})
  expect(only(folder, 'warning').map((event) => event.message)).toContainEqual(
    expect.stringMatching(
      new RegExp(
        `^The best checkpoint, that of step ${step}, was not measured on the test side: .*model.safetensors is not`,
      ),
    ),
  )
})

test('a run that goes on takes no number of another metric for its best, as checkpoints of earlier versions have them', async () => {
  const options = { ...short, training: { ...steady, steps: 4 } }
  const folder = makeTinyRun(root, { runId: `run-${(made += 1)}`, ...options })
  await trainHere(folder, 2)
  const file = path.join(checkpointFolder(folder, 2), CHECKPOINT_FILES.state)
  const state = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>
  writeFileSync(file, JSON.stringify({ ...state, best: { step: 1, value: 0.1 } })) // an accuracy, below every loss
  await trainHere(folder)
  expect(bestOf(folder)).toMatchObject({ step: 4, by: 'eval/loss' })
})

test('a metric can be chosen; one that such a run does not measure is named, and nothing is chosen', async () => {
  const folder = await run({ ...short, training: { ...steady, steps: 2, bestBy: 'eval/logps/accuracies' } })
  const accuracies = metricsByStep(allEvents(folder))['eval/logps/accuracies']!
  expect(bestOf(folder)).toMatchObject({ by: 'eval/logps/accuracies' })
  expect(bestOf(folder).value).toBe(Math.max(...[0, 1].map((step) => accuracies[step]!), bestOf(folder).value!))
  const none = await run({ ...short, training: { ...steady, steps: 2, bestBy: 'eval/samples/reward' } })
  expect(bestOf(none).step).toBeNull()
  expect(only(none, 'warning').map((event) => event.message)).toContain(
    'The held-out reward of samples (eval/samples/reward) is not measured in this run, so that no checkpoint can be chosen by it; the last one is reported.',
  )
})

test('a policy with a reward is chosen by the reward of what it writes now; rankers by their utility; SFT by its loss', async () => {
  const by = async (method: string, config: object = {}): Promise<string | null> => {
    const tiny = tinyRunOf(findAlgorithm(method))
    return bestOf(
      await run({ ...tiny, config: { ...tiny.config, ...config }, training: { ...tiny.training, steps: 1 } }),
    ).by
  }
  const words = { rewards: { kind: 'keyword', words: ['yes'] } }
  expect({
    sft: await by('sft'),
    dpo: await by('dpo'),
    copg: await by('copg'),
    'copg, keywords': await by('copg', words),
    'reinforce, keywords': await by('reinforce', words),
    'rloo, keywords': await by('rloo', words),
    'pg-rank': await by('pg-rank'),
    'pg-rank, mrr': await by('pg-rank', { utility: 'mrr' }),
    'pg-rank, exponential': await by('pg-rank', { utility: 'ndcg-exp' }),
  }).toEqual({
    sft: 'eval/loss',
    dpo: 'eval/rewards/accuracies',
    copg: 'eval/rewards/accuracies',
    'copg, keywords': 'eval/rollout/reward',
    'reinforce, keywords': 'eval/rollout/reward',
    'rloo, keywords': 'eval/rollout/reward',
    'pg-rank': 'eval/ndcg',
    'pg-rank, mrr': 'eval/mrr',
    'pg-rank, exponential': 'eval/ndcg_exp',
  })
})
