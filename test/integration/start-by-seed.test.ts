import { rmSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { RunId } from '../../shared/domain.ts'
import type { RunDetail } from '../../shared/contract/runs.ts'
import type { RunRequestInput } from '../../shared/run-spec.ts'
import { sayCheckpoint } from '../../shared/checkpoint-words.ts'
import { runCli, runJson } from '../support/cli.ts'
import { makeApp, type TestApp } from '../support/make-app.ts'
import { importTiny, tinyRequest, TINY_TRAINING, waitForState } from '../support/tiny-app.ts'

const training = { ...TINY_TRAINING, steps: 2, evalEvery: 1, checkpointEvery: 1, samplePrompts: 0 }
let running: TestApp
let datasetId: string
let sft: RunId[]

beforeAll(async () => {
  running = await makeApp()
  datasetId = await importTiny(running.client, running.dataFolder)
  sft = await start({ training, seeds: [1, 2] })
})
afterAll(() => rmSync(running.dataFolder, { recursive: true }))

async function start(changes: Partial<RunRequestInput>): Promise<RunId[]> {
  const { runIds } = await running.client.call('runs.start', { request: tinyRequest(datasetId, changes) })
  for (const runId of runIds) expect(await waitForState(running.client, runId)).toBe('finished')
  return runIds
}

function startOf(run: RunDetail): Extract<RunDetail['spec']['model'], { kind: 'run' }> {
  if (run.spec.model.kind !== 'run') throw new Error('it began with no run')
  return run.spec.model
}

const dpo = (model: object, seeds: number[]): Partial<RunRequestInput> => ({
  method: 'dpo',
  training,
  seeds,
  model: { kind: 'run', runId: sft[0]!, ...model },
})

test('each seed begins at the run of its own seed, at the checkpoint that was asked for; the specification says which', async () => {
  const runs = await start(dpo({ bySeed: true, checkpoint: 1 }, [1, 2]))
  const details = await Promise.all(runs.map((runId) => running.client.call('runs.get', { runId })))
  expect(details.map(startOf)).toMatchObject([
    { runId: sft[0], seed: 1, step: 1, checkpoint: 1, bySeed: true },
    { runId: sft[1], seed: 2, step: 1, checkpoint: 1, bySeed: true },
  ])
  expect(details.map((one) => startOf(one).path)).toEqual(details.map((_, at) => expect.stringContaining(sft[at]!)))
  expect(new Set(details.map((one) => startOf(one).hash)).size).toBe(2)
  expect(new Set(details.map((one) => one.groupHash)).size).toBe(1)
  expect(sayCheckpoint(startOf(details[0]!))).toBe('checkpoint of step 1')
  expect(details[1]!.command).toContain(`--model run:${sft[1]}@1 --by-seed --seeds 2`)
})

test('seeds without a partner, and a step without a checkpoint, are named before the start', async () => {
  const problems = async (changes: Partial<RunRequestInput>) =>
    (await running.client.call('runs.check', { request: tinyRequest(datasetId, changes) })).problems
  expect(await problems(dpo({ bySeed: true }, [1, 2, 3, 7]))).toEqual([
    { path: 'seeds', message: expect.stringMatching(/^Seeds 3, 7 have no partner: of .* runs of seeds 1, 2\.$/) },
  ])
  expect(await problems(dpo({ bySeed: true }, [2]))).toEqual([])
  expect(await problems(dpo({ checkpoint: 5 }, [1]))).toEqual([
    { path: 'model.runId', message: expect.stringMatching(/no checkpoint of step 5\. It has those of .*1, 2\./) },
  ])
})

test('the command line starts them by one flag', async () => {
  await running.app.close('checkpoint') // one process at a time has the folder
  const options = { dataFolder: running.dataFolder }
  const asked = ['train', 'dpo', '--data', datasetId, '--steps', '2', '--check']
  expect(
    await runJson([...asked, '--model', `run:${sft[0]}@best`, '--by-seed', '--seeds', '1,2'], options),
  ).toMatchObject({
    command: expect.stringContaining(`--model run:${sft[0]}@best --by-seed --seeds 1,2`),
  })
  const lonely = await runCli([...asked, '--model', `run:${sft[0]}`, '--by-seed', '--seeds', '3'], options)
  expect([lonely.status, lonely.stderr]).toEqual([3, expect.stringContaining('Seed 3 has no partner')])
  const none = await runCli([...asked, '--model', 'new:nano', '--by-seed'], options)
  expect([none.status, none.stderr]).toEqual([2, expect.stringContaining('--by-seed needs runs to start from')])
})
