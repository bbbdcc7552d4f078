import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import type { PreferenceRow } from '../../shared/data-kinds.ts'
import { readTail } from '../../main/base/files/tail.ts'
import { runPaths } from '../../main/base/run-folder/paths.ts'
import { loadCheckpoint } from '../../main/core/models/checkpoint-files.ts'
import { listCheckpointSteps } from '../../main/workers/trainer/checkpoint.ts'
import { TRAINER_EXIT } from '../../main/base/run-folder/protocol.ts'
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

const own = ownFolder('trainer ü')

async function finish(options: TinyOptions): Promise<string> {
  const folder = makeTinyRun(own.path, { engine: 'wasm', ...options })
  expect([await exitOf(spawnTrainer(folder)), readTail(runPaths(folder).log, 5)]).toEqual([0, []])
  return folder
}

describe('a run from start to end', () => {
  test('learns, reports, samples, saves and says that it is done', async () => {
    const folder = await finish({
      judge: { source: { kind: 'length', target: 5 }, path: null },
      training: { steps: 12, keepCheckpoints: 1 },
    })
    const events = allEvents(folder)
    expect(events.map((event) => event.seq)).toEqual(events.map((_event, index) => index + 1))
    expect([events[0]?.type, events.at(-1)]).toMatchObject([
      'ready',
      { type: 'done', outcome: 'finished', summary: { steps: 12, 'eval/pairs': 6, 'test/pairs': 6 } },
    ])
    const metrics = metricsByStep(events)
    expect(Object.keys(metrics['loss']!)).toHaveLength(12)
    expect(metrics['loss']![12]!).toBeLessThan(metrics['loss']![1]! / 1.5)
    expect(Object.keys(metrics['eval/logps/accuracies']!).map(Number)).toEqual([0, 4, 8, 12])
    for (const name of [
      'grad_norm',
      'learning_rate',
      'epoch',
      'eval/loss',
      'eval/logps/accuracies_low',
      'eval/samples/reward',
      'test/logps/accuracies',
    ])
      expect(metrics[name], name).toBeDefined()
    expect(only(folder, 'sample').map((event) => [event.step, event.items.map((item) => item.pairId)])).toEqual(
      [0, 4, 8, 12].map((step) => [step, ['p24', 'p25']]),
    )
    const best = only(folder, 'checkpoint').findLast((event) => event.best)!.step
    expect(listCheckpointSteps(folder)).toEqual([...new Set([best, 12])].toSorted((a, b) => a - b))
    expect((await loadCheckpoint(path.join(folder, only(folder, 'checkpoint').at(-1)!.path))).hash).toBe(
      only(folder, 'checkpoint').at(-1)!.sha256,
    )
  })

  test('an accuracy of one is one, in however many parts it was counted', async () => {
    const rows = tinyRows(3, 3, 0).map((row) => ({ ...row, a: 'yes', b: 'no no no no', preferenceA: 0 }))
    const folder = await finish({ rows, training: { steps: 1, batchSize: 1, microBatchSize: 1, samplePrompts: 0 } })
    const accuracies = metricsByStep(allEvents(folder))['eval/logps/accuracies']!
    expect(Object.values(accuracies)).toEqual([1, 1]) // a new model with tied embeddings repeats itself
  })

  test('labels that are ties are left out of held-out accuracies, which can reach 1; pairs of one prompt say little', async () => {
    const rows = (prompt: (at: number) => string): PreferenceRow[] =>
      tinyRows(3, 4, 0).map((row, at) => ({
        ...row,
        prompt: prompt(at),
        a: 'yes',
        b: 'no no no no',
        preferenceA: at % 2 === 0 ? 0 : 0.5,
      }))
    const measured = async (runId: string, given: readonly PreferenceRow[]): Promise<readonly (number | null)[]> => {
      const folder = await finish({
        runId,
        rows: given,
        training: { steps: 1, batchSize: 1, microBatchSize: 1, samplePrompts: 0 },
      })
      const metrics = metricsByStep(allEvents(folder))
      return ['', '_low', '_high'].map((end) => metrics[`eval/logps/accuracies${end}`]![0]!)
    }
    const [share, low, high] = await measured(
      'several-1',
      rows((at) => `q${at}`),
    )
    expect([share, high]).toEqual([1, 1])
    expect(low).toBeGreaterThan(0)
    expect(
      await measured(
        'one-1',
        rows(() => 'q'),
      ),
    ).toEqual([1, 0, 1]) // one prompt
    const none = await finish({
      runId: 'none-1',
      rows: rows((at) => `q${at}`).map((row) => ({ ...row, preferenceA: 0.5 })),
      training: { steps: 1, samplePrompts: 0 },
    })
    expect(Object.keys(metricsByStep(allEvents(none))).filter((name) => name.startsWith('eval/logps/acc'))).toEqual([])
  })

  test('a policy starts from a run, is rewarded and judged by a reward model', async () => {
    const sft = await finish({ runId: 'sft-1', training: { evalEvery: 0 } })
    const judge = await finish({ runId: 'rm-1', method: 'reward-model', training: { evalEvery: 0 } })
    const lastOf = (folder: string): { path: string; hash: string } => {
      const { path: place, sha256 } = only(folder, 'checkpoint').at(-1)!
      return { path: path.join(folder, place), hash: sha256 }
    }
    const folder = makeTinyRun(own.path, {
      runId: 'copg-1',
      method: 'copg',
      engine: 'wasm',
      config: { rewards: { kind: 'reward-model', runId: 'rm-1' }, groupSize: 3 },
      model: { kind: 'run', runId: 'sft-1' as never, checkpoint: 'last', ...lastOf(sft) },
      judge: { source: { kind: 'reward-model', runId: 'rm-1' as never }, path: lastOf(judge).path },
    })
    const spec = JSON.parse(readFileSync(runPaths(folder).spec, 'utf8'))
    writeFileSync(runPaths(folder).spec, JSON.stringify({ ...spec, rewardModelPath: lastOf(judge).path }))
    // So short an SFT run does not yet write as the data does.
    expect([await exitOf(spawnTrainer(folder)), readTail(runPaths(folder).log, 9)]).toEqual([
      0,
      [expect.stringContaining('The data does not cover the reference')],
    ])
    const metrics = metricsByStep(allEvents(folder))
    // Before the first step the policy is the reference: same samples, no distance, every comparison a draw.
    expect([metrics['eval/samples/win_rate']![0], metrics['eval/samples/kl']![0], metrics['eval/kl/k3']![0]]).toEqual([
      0.5, 0, 0,
    ])
    expect(metrics['eval/kl/k3']![8]).toBeGreaterThan(0)
    expect(readdirSync(path.join(own.path, 'cache')).toSorted()).toEqual(['logprobs', 'score'])
  })

  test('a clear fall below the weights it began with is said once, while the run goes on', async () => {
    const sft = await finish({ runId: 'sft-1', training: { evalEvery: 0, steps: 16 } })
    const { path: place, sha256 } = only(sft, 'checkpoint').at(-1)!
    // Taught the opposite of what the held-out pairs prefer.
    const rows = tinyRows().map((row) => (row.split === 'train' ? { ...row, preferenceA: 1 - row.preferenceA! } : row))
    const folder = makeTinyRun(own.path, {
      runId: 'sft-2',
      engine: 'wasm',
      rows,
      model: { kind: 'run', runId: 'sft-1' as never, checkpoint: 'last', path: path.join(sft, place), hash: sha256 },
      training: { evalEvery: 4, steps: 24, learningRate: 2e-2 },
    })
    expect(await exitOf(spawnTrainer(folder))).toBe(0)
    const accuracy = metricsByStep(allEvents(folder))['eval/logps/accuracies']!
    expect([accuracy[0]! > 0.9, accuracy[20]! < 0.2]).toEqual([true, true])
    const warnings = only(folder, 'warning').map((event) => [event.message, event.hint])
    expect(warnings).toEqual([
      [
        expect.stringMatching(/^After \d+ steps the held-out loss is \d.*, clearly worse than the \d\.\d+ /),
        expect.stringContaining('lower learning rate'),
      ],
    ])
  })

  test('a second run with the same reference reads its log-probs from the cache', async () => {
    const options: TinyOptions = { method: 'dpo', training: { steps: 1, evalEvery: 0, samplePrompts: 0 } }
    const first = await finish({ ...options, runId: 'dpo-1' })
    const second = await finish({ ...options, runId: 'dpo-2' })
    const total = (folder: string): (number | null)[] =>
      only(folder, 'phase')
        .filter((event) => event.phase === 'reference')
        .map((event) => event.total)
    expect([total(first)[0], total(second)]).toEqual([3, [0]])
    expect(metricsByStep(allEvents(second))).toEqual(metricsByStep(allEvents(first)))
  })
})

describe('resuming equals never stopping', () => {
  const options: TinyOptions = {
    method: 'dpo',
    engine: 'cpu',
    rows: tinyRows(6, 2, 1),
    training: {
      steps: 6,
      batchSize: 2,
      microBatchSize: 1,
      evalEvery: 3,
      checkpointEvery: 2,
      keepCheckpoints: 9,
      samplePrompts: 1,
      sampleTokens: 2,
      dropout: 0.2,
      maxLength: 14,
    },
  }

  test('bit for bit on the cpu engine, killed twice', async () => {
    const whole = await finish({ ...options, runId: 'whole' })
    const folder = makeTinyRun(own.path, { ...options, runId: 'killed' })
    for (const afterStep of [2, 4]) expect(await killAfterCheckpoint(folder, afterStep)).toBe('SIGKILL')
    expect(await exitOf(spawnTrainer(folder))).toBe(0)
    expect(only(folder, 'ready').map((event) => event.resumedFromStep)).toEqual([
      null,
      expect.toSatisfy((step) => step === 2 || step === 3),
      expect.toSatisfy((step) => step === 4 || step === 6),
    ])
    expect(metricsByStep(allEvents(folder))).toEqual(metricsByStep(allEvents(whole)))
    expect(weightsOf(folder, 6)).toEqual(weightsOf(whole, 6))
  }, 400_000)
})

describe('failing readably', () => {
  test('a loss that is not finite ends the run, names the step and keeps the checkpoint', async () => {
    const folder = makeTinyRun(own.path, {
      engine: 'wasm',
      training: {
        steps: 60,
        learningRate: 10,
        clipNorm: 0,
        warmupFraction: 0,
        checkpointEvery: 1,
        evalEvery: 0,
        samplePrompts: 0,
      },
      rows: tinyRows().map((row, index) => (index === 7 ? { ...row, weight: 3e38 } : row)),
    })
    expect(await exitOf(spawnTrainer(folder))).toBe(TRAINER_EXIT.failed)
    const failure = allEvents(folder).at(-1)
    expect(failure).toMatchObject({
      type: 'failed',
      error: { code: 'loss-not-finite', hint: expect.stringContaining('Lower the learning rate') },
    })
    const last = listCheckpointSteps(folder).at(-1) ?? null
    expect(failure).toMatchObject({ error: { details: { lastCheckpoint: last } } })
  })

  test('changed data, a broken specification and an unknown method each have their words', async () => {
    const folder = makeTinyRun(own.path, { engine: 'wasm' })
    writeFileSync(path.join(own.path, 'view.jsonl'), `${JSON.stringify(tinyRows()[0])}\n`)
    expect([await exitOf(spawnTrainer(folder)), only(folder, 'failed')[0]?.error.code]).toEqual([
      TRAINER_EXIT.failed,
      'dataset-invalid',
    ])
    const unknown = makeTinyRun(own.path, { runId: 'unknown', method: 'none' })
    expect([await exitOf(spawnTrainer(unknown)), only(unknown, 'failed')[0]?.error.message]).toEqual([
      TRAINER_EXIT.badSpec,
      'There is no method called "none".',
    ])
    writeFileSync(runPaths(unknown).spec, '{')
    expect([await exitOf(spawnTrainer(unknown)), only(unknown, 'failed').at(-1)?.error.code]).toEqual([
      TRAINER_EXIT.badSpec,
      'spec-invalid',
    ])
  })

  test('a damaged checkpoint is passed over for the one before it', async () => {
    const folder = makeTinyRun(own.path, { engine: 'wasm' })
    expect(await exitOf(spawnTrainer(folder))).toBe(0)
    const weights = path.join(runPaths(folder).checkpoints, '00000008', 'model.safetensors')
    const bytes = readFileSync(weights)
    bytes[bytes.length - 5]! ^= 1
    writeFileSync(weights, bytes)
    expect(await exitOf(spawnTrainer(folder))).toBe(0)
    expect([only(folder, 'ready').at(-1)?.resumedFromStep, only(folder, 'warning')[0]?.message]).toEqual([
      4,
      expect.stringContaining('00000008'),
    ])
    expect((await loadCheckpoint(path.dirname(weights))).state.step).toBe(8)
  })
})

test('a dry run measures without training', async () => {
  const folder = makeTinyRun(own.path, { engine: 'wasm', method: 'dpo' })
  expect(await exitOf(spawnTrainer(folder, 'estimate'))).toBe(0)
  const facts = Object.assign({}, ...only(folder, 'fact').map((event) => event.facts))
  expect(facts).toMatchObject({
    parameterCount: 117184,
    weightBytes: 4 * 117184,
    optimizerBytes: 8 * 117184 + 4,
    stepsRun: expect.toSatisfy((count: number) => count >= 2),
  })
  expect(facts.stepMs).toBeGreaterThan(0)
  expect(facts.peakBytes).toBeGreaterThan(facts.weightBytes)
  expect(listCheckpointSteps(folder)).toEqual([])
})

test('a dry run goes through a part of what is the same over and over, and says that the rest takes time', async () => {
  const options: TinyOptions = {
    engine: 'wasm',
    method: 'dpo',
    rows: tinyRows(300, 6, 6),
    training: { steps: 1, batchSize: 24, microBatchSize: 4, evalEvery: 0, samplePrompts: 0 },
  }
  const scored = (folder: string): number =>
    only(folder, 'phase').findLast((event) => event.phase === 'reference')?.total ?? 0
  const dry = makeTinyRun(own.path, { ...options, runId: 'dry-1' })
  expect(await exitOf(spawnTrainer(dry, 'estimate'))).toBe(0)
  const facts = Object.assign({}, ...only(dry, 'fact').map((event) => event.facts))
  expect([facts.setupLeftMs > 0, facts.stepMs > 0, facts.lastEvaluationMs > 0]).toEqual([true, true, true])
  rmSync(path.join(own.path, 'cache'), { recursive: true, force: true })
  const whole = await finish({ ...options, runId: 'whole-1' })
  expect(scored(dry)).toBeGreaterThan(0)
  expect(scored(dry)).toBeLessThan(scored(whole))
})
