import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { RunId } from '../../shared/domain.ts'
import { readMeasuredItems } from '../../main/base/run-folder/held-out-items.ts'
import { runCli, runJson } from '../support/cli.ts'
import { makeApp, type TestApp } from '../support/make-app.ts'
import { importTiny, TINY_TRAINING, tinyRequest, waitForState } from '../support/tiny-app.ts'

// Published benchmarks on models from here, by the command; and what a reward model's own held-out margins say of it.

const fixture = (name: string): string => fileURLToPath(new URL(`../fixtures/benchmarks/${name}`, import.meta.url))
const encoder = fileURLToPath(new URL('../golden/models-encoders/bert', import.meta.url))
const root = mkdtempSync(path.join(os.tmpdir(), 'pairlab evaluate '))
let made: TestApp
let rewards: RunId[]

beforeAll(async () => {
  made = await makeApp()
  const datasetId = await importTiny(made.client, made.dataFolder)
  const training = { ...TINY_TRAINING, samplePrompts: 0, learningRate: 0.01, steps: 8 }
  const { runIds } = await made.client.call('runs.start', {
    request: tinyRequest(datasetId, { method: 'reward-model', training, seeds: [1, 2] }),
  })
  rewards = runIds
  for (const runId of runIds) expect(await waitForState(made.client, runId)).toBe('finished')
})
afterAll(async () => {
  await made.end()
  rmSync(root, { recursive: true, force: true })
})

interface Subsets {
  readonly found: {
    readonly subsets: { readonly subset: string; readonly items: number; readonly score: number }[]
    readonly mean: number
  }
}

test('the margins of a run’s held-out pairs are its calibration, and several runs are an ensemble', async () => {
  const { models, ensemble } = await made.client.call('runs.calibration', { runIds: rewards })
  expect(models.map(({ runId }) => runId)).toEqual(rewards)
  for (const model of models) {
    const folder = path.join(made.dataFolder, 'runs', model.runId)
    const { metrics } = readMeasuredItems(folder, 'test', model.step)!
    const margins = metrics['rewards/margins']!.value
    expect(model.bins.reduce((sum, { pairs }) => sum + pairs, 0)).toBe(model.pairs)
    expect(model.pairs).toBe(metrics['rewards/accuracies']!.at.length)
    const right = margins.filter((margin) => margin > 0).length / margins.length
    const told = model.bins.reduce((sum, bin) => sum + bin.pairs * bin.accuracy, 0) / model.pairs
    expect(told).toBeCloseTo(right, 6)
    expect(model.byLength.reduce((sum, { pairs }) => sum + pairs, 0)).toBe(model.pairs)
  }
  expect(ensemble!.models).toBe(2)
  expect(ensemble!.disagreement).toBeGreaterThanOrEqual(0)
  await made.app.close('checkpoint') // the commands that follow open the folder themselves
  const { stdout } = await runCli(['runs', 'calibration', rewards[0]!], { dataFolder: made.dataFolder })
  expect(stdout).toContain('Expected calibration error')
  const together = await runCli(['runs', 'ensemble', ...rewards], { dataFolder: made.dataFolder })
  expect(together.stdout).toContain('2 models on')
})

test('a reward model on RewardBench 2', async () => {
  const options = { dataFolder: made.dataFolder }
  const out = path.join(root, 'rewards.json')
  const [lines] = (await runJson(
    ['evaluate', rewards[0]!, '--on', fixture('reward-bench-2'), '--out', out],
    options,
  )) as Subsets[]
  expect(lines!.found.subsets.map(({ subset, items }) => [subset, items])).toEqual([
    ['Factuality', 2],
    ['Focus', 1],
    ['Math', 2],
    ['Ties', 4],
  ])
  expect(lines!.found.mean).toBeCloseTo(lines!.found.subsets.reduce((sum, one) => sum + one.score, 0) / 4, 12)
  expect(JSON.parse(readFileSync(out, 'utf8'))).toEqual(lines)
})

test('an encoder on a folder of tasks: each is a file in MTEB’s form, and what is no task keeps nobody from the others', async () => {
  const place = path.join(root, 'mteb')
  cpSync(fixture('mteb'), place, { recursive: true })
  mkdirSync(path.join(place, 'odd'))
  writeFileSync(path.join(place, 'odd/test.jsonl'), '{"foo": 1}\n')
  const out = path.join(root, 'results')
  const model = path.join(root, 'bert')
  cpSync(encoder, model, { recursive: true })
  const { stdout, stderr, status } = await runCli(['evaluate', model, '--on', place, '--out', out], {
    dataFolder: made.dataFolder,
  })
  expect(status).toBe(0)
  expect(stderr).toContain('odd: No table has the columns of a known task; there are: test.jsonl (foo)')
  expect(stdout).toContain('retrieval: Retrieval, test, 8 texts')
  for (const name of ['clustering', 'pairs', 'reranking', 'retrieval']) {
    const { task_name: task, scores } = JSON.parse(readFileSync(path.join(out, `${name}.json`), 'utf8')) as {
      task_name: string
      scores: { test: { main_score: number }[] }
    }
    expect([task, scores.test[0]!.main_score >= 0]).toEqual([name, true])
  }
  expect(existsSync(path.join(out, 'odd.json'))).toBe(false)
  const alone = await runCli(['evaluate', model, '--on', path.join(place, 'odd')], { dataFolder: made.dataFolder })
  expect([alone.status, alone.stderr.includes('No table has the columns')]).toEqual([3, true])
})
