import { describe, expect, test } from 'vitest'
import { writeControl } from '../../main/base/run-folder/control.ts'
import { TRAINER_EXIT } from '../../main/base/run-folder/protocol.ts'
import { listCheckpointSteps } from '../../main/workers/trainer/checkpoint.ts'
import {
  allEvents,
  exitOf,
  makeTinyRun,
  metricsByStep,
  only,
  spawnTrainer,
  type TinyOptions,
} from '../support/tiny-run.ts'
import { waitUntil } from '../support/make-app.ts'
import { ownFolder } from '../support/own-folder.ts'

const own = ownFolder('trainer ends')

describe('ending on request', () => {
  const long: TinyOptions = { engine: 'wasm', training: { steps: 5000, evalEvery: 0, checkpointEvery: 0 } }

  async function started(
    options: TinyOptions = long,
  ): Promise<{ folder: string; ended: Promise<unknown>; child: ReturnType<typeof spawnTrainer> }> {
    const folder = makeTinyRun(own.path, options)
    const child = spawnTrainer(folder)
    const ended = exitOf(child)
    await waitUntil('the first points', () => only(folder, 'metrics').length > 0)
    return { folder, ended, child }
  }

  test('stop ends at once and saves nothing', async () => {
    const { folder, ended } = await started()
    writeControl(folder, 'stop')
    expect([await ended, only(folder, 'done')[0]?.outcome, listCheckpointSteps(folder)]).toEqual([0, 'cancelled', []])
  })

  test('stop drops an evaluation, however long it would write', async () => {
    // It writes for seconds: tokens at random, of which one in 260 ends a completion; with this seed the longest has 1,105.
    const folder = makeTinyRun(own.path, {
      engine: 'wasm',
      seed: 2,
      model: { kind: 'new', preset: 'mini', tokenizer: { kind: 'byte' }, tiedEmbeddings: true },
      training: { maxLength: 24, evalEvery: 4, samplePrompts: 6, sampleTokens: 2048, sampleTemperature: 10 },
    })
    const ended = exitOf(spawnTrainer(folder))
    await waitUntil('an evaluation', () => only(folder, 'phase').some((event) => event.phase === 'evaluating'))
    writeControl(folder, 'stop')
    expect([await ended, only(folder, 'done')[0]?.outcome, only(folder, 'sample')]).toEqual([0, 'cancelled', []])
    expect(metricsByStep(allEvents(folder))['eval/loss']).toBe(undefined)
  })

  test('stop drops an update, however long its roll-outs are', async () => {
    const folder = makeTinyRun(own.path, {
      engine: 'wasm',
      method: 'rloo',
      config: { rewards: { kind: 'length', target: 3 }, groupSize: 4, rolloutTokens: 2048 },
      model: { kind: 'new', preset: 'mini', tokenizer: { kind: 'byte' }, tiedEmbeddings: true },
      training: { maxLength: 24, evalEvery: 0, samplePrompts: 0 },
    })
    const ended = exitOf(spawnTrainer(folder))
    await waitUntil('the first update', () => only(folder, 'phase').some((event) => event.phase === 'training'))
    writeControl(folder, 'stop')
    expect([await ended, only(folder, 'done')[0]]).toEqual([
      0,
      expect.objectContaining({ outcome: 'cancelled', summary: expect.objectContaining({ steps: 0 }) }),
    ])
  })

  test('an evaluation that a signal dropped is made up for when the run goes on, and may be the best', async () => {
    const folder = makeTinyRun(own.path, {
      engine: 'wasm',
      seed: 2,
      model: { kind: 'new', preset: 'mini', tokenizer: { kind: 'byte' }, tiedEmbeddings: true },
      training: { maxLength: 24, steps: 3, evalEvery: 2, samplePrompts: 6, sampleTokens: 512, sampleTemperature: 10 },
    })
    const evaluations = (): number => only(folder, 'phase').filter((event) => event.phase === 'evaluating').length
    const measured = (): number[] => Object.keys(metricsByStep(allEvents(folder))['eval/loss'] ?? {}).map(Number)
    const child = spawnTrainer(folder)
    const ended = exitOf(child)
    await waitUntil('the evaluation of step 2', () => evaluations() === 2)
    child.kill('SIGTERM')
    expect([await ended, measured(), listCheckpointSteps(folder)]).toEqual([0, [0], [0, 2]])
    expect(await exitOf(spawnTrainer(folder))).toBe(0)
    expect(measured()).toEqual([0, 2, 3])
    expect(only(folder, 'checkpoint').map(({ step, best }) => [step, best])).toEqual([
      [0, true],
      [2, false],
      [2, true],
      [3, expect.any(Boolean)],
    ])
  })

  test('stop-and-save saves, evaluates and can go on', async () => {
    const { folder, ended } = await started()
    writeControl(folder, 'checkpoint')
    await waitUntil('the checkpoint', () => only(folder, 'checkpoint').length === 1)
    writeControl(folder, 'stop-and-save')
    expect([await ended, only(folder, 'done')[0]?.outcome]).toEqual([0, 'interrupted'])
    expect(only(folder, 'fact').at(-1)!.facts['stopped']).toBe(true)
    const { step } = only(folder, 'checkpoint').at(-1)!
    expect(step).toBeGreaterThan(only(folder, 'checkpoint')[0]!.step)
    expect(Object.keys(metricsByStep(allEvents(folder))['eval/loss']!).map(Number)).toEqual([step])
  })

  test('a termination signal saves and ends', async () => {
    const { folder, ended, child } = await started()
    child.kill('SIGTERM')
    expect([await ended, only(folder, 'done')[0]?.outcome, listCheckpointSteps(folder)]).toEqual([
      0,
      'interrupted',
      [only(folder, 'checkpoint')[0]?.step],
    ])
    expect(only(folder, 'fact').at(-1)!.facts).not.toHaveProperty('stopped')
  })

  test('a second trainer on the same folder is turned away and writes nothing', async () => {
    const { folder, ended, child } = await started()
    expect(await exitOf(spawnTrainer(folder))).toBe(TRAINER_EXIT.badSpec)
    expect(only(folder, 'ready')).toHaveLength(1)
    child.kill('SIGKILL')
    await ended
  })
})
