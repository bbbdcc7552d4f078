import { readFileSync } from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { RunId } from '../../shared/domain.ts'
import { makeApp, type TestApp } from '../support/make-app.ts'
import { importTiny, TINY_TRAINING, tinyRequest, waitForState } from '../support/tiny-app.ts'

// Which numbers pages, comparisons and cards show of a run whose best checkpoint is not its last.

describe('what the app says of a run whose best checkpoint is not its last', () => {
  let app: TestApp
  let runIds: readonly RunId[]
  beforeAll(async () => {
    app = await makeApp()
    const datasetId = await importTiny(app.client, app.dataFolder)
    const request = tinyRequest(datasetId, {
      training: { ...TINY_TRAINING, steps: 12, learningRate: 0.5, schedule: 'constant', warmupFraction: 0 },
      seeds: [1, 2],
    })
    ;({ runIds } = await app.client.call('runs.start', { request }))
    for (const runId of runIds) expect(await waitForState(app.client, runId)).toBe('finished')
  })
  afterAll(() => app.end())

  test('the run names the step, what chose it and what the test side says of it', async () => {
    for (const runId of runIds) {
      const run = await app.client.call('runs.get', { runId })
      expect(run.chosen).toMatchObject({ step: run.facts['bestStep'], by: 'eval/loss' })
      expect(run.chosen!.step).toBeLessThan(12)
      expect(run.chosen!.values['eval/loss']).toBe(run.facts['bestValue'])
      expect(run.chosen!.values['test/loss']).toBeLessThan(run.summary['test/loss']!)
      expect(run.checkpoints.map(({ step, best }) => [step, best])).toContainEqual([run.chosen!.step, true])
    }
  })

  test('a comparison is of the chosen checkpoints, on the test side, unless the last are asked for', async () => {
    const runs = await Promise.all(runIds.map((runId) => app.client.call('runs.get', { runId })))
    const usual = await app.client.call('comparisons.get', { runIds: [...runIds] })
    expect([usual.metric, usual.curveMetric]).toEqual(['test/loss', 'eval/loss'])
    expect(usual.groups[0]!.members['test/loss']).toEqual(runs.map((run) => run.chosen!.values['test/loss']))
    expect(usual.conclusions.at(-1)).toContain('validation side chose')
    const last = await app.client.call('comparisons.get', { runIds: [...runIds], at: 'last' })
    expect(last.groups[0]!.members['test/loss']).toEqual(runs.map((run) => run.summary['test/loss']))
  })

  test('a reward model that learned nothing by its validation side is named where it would score', async () => {
    const datasetId = (await app.client.call('datasets.list', {}))[0]!.datasetId
    const training = { ...TINY_TRAINING, steps: 4, evalEvery: 2, checkpointEvery: 2 }
    const started = await app.client.call('runs.start', {
      request: tinyRequest(datasetId, { method: 'reward-model', training: { ...training, learningRate: 1e-30 } }),
    })
    const [runId] = started.runIds
    expect(await waitForState(app.client, runId!)).toBe('finished')
    expect((await app.client.call('runs.get', { runId: runId! })).chosen).toMatchObject({ step: 0 })
    const { advice } = await app.client.call('runs.check', {
      request: tinyRequest(datasetId, {
        method: 'copg',
        training,
        config: { rewards: { kind: 'reward-model', runId: runId! } },
        judge: { kind: 'reward-model', runId: runId! },
      }),
    })
    expect(advice.map(({ text }) => text).filter((text) => text.includes('learned nothing'))).toEqual([
      expect.stringContaining(`takes its rewards from ${runId}`),
      expect.stringContaining(`is judged by ${runId}`),
    ])
  })

  test('the card of an exported checkpoint has the numbers of its own step', async () => {
    const [runId] = runIds
    const run = await app.client.call('runs.get', { runId: runId! })
    const cardOf = async (checkpoint: 'best' | 'last'): Promise<string> => {
      const { path: folder } = await app.client.call('runs.export', {
        runId: runId!,
        checkpoint,
        path: path.join(app.dataFolder, `exported ${checkpoint}`),
      })
      return readFileSync(path.join(folder, 'README.md'), 'utf8')
    }
    const shown = (value: number | null | undefined): string => String(Number(value!.toPrecision(5)))
    const [best, last] = [await cardOf('best'), await cardOf('last')]
    const at = run.chosen!.step
    expect(best).toContain(`| metric, at step ${at} | value |`)
    expect(best).toContain(`| test/loss | ${shown(run.chosen!.values['test/loss'])} |`)
    expect(best).toContain(`| eval/loss | ${shown(run.chosen!.values['eval/loss'])} |`)
    expect(best).toContain(`Step ${at} was chosen among the run's checkpoints by \`eval/loss\``)
    expect(last).toContain('| metric, at step 12 | value |')
    expect(last).toContain(`| test/loss | ${shown(run.summary['test/loss'])} |`)
    expect(last).not.toContain('was chosen')
  })
})
