import { rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { Command } from 'commander'
import { invariant } from '../../../../shared/assert.ts'
import { AppError } from '../../../../shared/errors.ts'
import type { DatasetId, RunId } from '../../../../shared/domain.ts'
import type { RunRequestInput, RewardSource } from '../../../../shared/run-spec.ts'
import type { TrainingConfig } from '../../../../shared/training-config.ts'
import type { Client } from '../../../../shared/rpc.ts'
import { formatDuration } from '../../../../shared/units.ts'
import { resolveDataFolder, withClient } from '../connect.ts'
import { globals } from '../globals.ts'
import type { Output } from '../output.ts'
import { followRuns } from '../progress.ts'
import { comparisonTable } from './compare.ts'
import { USUAL_METRICS } from '../../../../shared/compare-point.ts'
import { followImport } from '../follow-import.ts'

/** Chosen so that the whole demo ends within three minutes on two cores; every method gets the same number of updates. */
const SEEDS = [1, 2, 3] as const
const MODEL = { kind: 'new', preset: 'nano', tokenizer: { kind: 'bpe', vocabSize: 512 } } as const
const SHARED: Partial<TrainingConfig> = {
  batchSize: 8,
  microBatchSize: 8,
  maxLength: 128,
  evalPairs: 64,
  samplePrompts: 24,
  sampleTokens: 32,
}
const START: Partial<TrainingConfig> = { ...SHARED, steps: 160, evalEvery: 80, checkpointEvery: 80 }
const ALIGN: Partial<TrainingConfig> = { ...SHARED, steps: 76, evalEvery: 38, checkpointEvery: 38 }
/** Scores completions for CoPG, and judges what every method writes. */
const REWARD_MODEL: Partial<TrainingConfig> = {
  ...SHARED,
  steps: 120,
  evalEvery: 60,
  checkpointEvery: 60,
  samplePrompts: 0,
}
const METHODS = ['dpo', 'ipo', 'copg'] as const
const NAMES = { dpo: 'DPO', ipo: 'IPO', copg: 'CoPG' } as const

async function openSample(client: Client, out: Output): Promise<DatasetId> {
  const id = await followImport(client, () => client.call('samples.open', { sampleId: 'pandalm' }), out.note)
  const detail = await client.call('datasets.get', { datasetId: id })
  const { counts } = detail.split
  out.say(
    `Imported ${detail.name}: ${detail.itemCount} pairs, ${detail.labelCount} labels by ${detail.annotators.length} annotators; ${detail.rejectedRowCount} rows left out.`,
  )
  out.say(
    `Split by prompt: ${counts.train} pairs to train on, ${counts.validation} to validate, ${counts.test} to test.`,
  )
  return id
}

async function runDemo(client: Client, out: Output): Promise<unknown> {
  const datasetId = await openSample(client, out)
  await client.call('settings.set', { slots: Math.max(1, os.availableParallelism()) })
  out.say(
    '\nReward model: Bradley–Terry on the same labels. It gives CoPG its rewards and judges what every policy writes.',
  )
  const { runIds: scorers } = await client.call('runs.start', {
    request: {
      data: { datasetId },
      method: 'reward-model',
      name: 'reward',
      model: MODEL,
      training: REWARD_MODEL,
      seeds: [1],
    },
  })
  const scorer = scorers[0]
  invariant(scorer !== undefined, 'one seed gives one run')
  await mustFinish(client, scorers, out)
  const { summary } = await client.call('runs.get', { runId: scorer })
  const [accuracy, low, high, pairs] = ['', '_low', '_high']
    .map((end) => summary[`test/rewards/accuracies${end}`] ?? null)
    .concat(summary['test/pairs'] ?? null)
  out.say(
    `It prefers the preferred answer in ${share(accuracy)} of ${pairs ?? 'the'} test pairs [${share(low)}, ${share(high)}].`,
  )
  const judge: RewardSource = { kind: 'reward-model', runId: scorer }
  const shared = { data: { datasetId }, judge } as const
  out.say('\nSFT: imitate the preferred answer, from scratch, one run a seed. These are also the reference policies.')
  const sft: RunRequestInput = {
    ...shared,
    method: 'sft',
    name: 'sft',
    model: MODEL,
    training: START,
    seeds: [...SEEDS],
  }
  const { runIds: starts } = await client.call('runs.start', { request: sft })
  await mustFinish(client, starts, out)
  out.say(`\n${METHODS.map((method) => NAMES[method]).join(', ')}: from each SFT run, with the same seed.`)
  const aligned: RunId[] = []
  for (const [at, start] of starts.entries()) {
    for (const method of METHODS) {
      const config = method === 'copg' ? { rewards: judge } : {}
      const request: RunRequestInput = {
        ...shared,
        method,
        config,
        name: method,
        model: { kind: 'run', runId: start },
        training: ALIGN,
        seeds: [SEEDS[at] ?? 1],
      }
      aligned.push(...(await client.call('runs.start', { request })).runIds)
    }
  }
  await mustFinish(client, aligned, out)
  return compare(client, [...starts, ...aligned], out)
}

function share(value: number | null | undefined): string {
  return value === null || value === undefined ? '–' : value.toFixed(2)
}

async function mustFinish(client: Client, runIds: readonly RunId[], out: Output): Promise<void> {
  const runs = await followRuns(client, runIds, out)
  const failed = runs.find((run) => run.state !== 'finished')
  if (failed !== undefined)
    throw new AppError({
      code: 'trainer-failed',
      message: `${failed.runId} ended as ${failed.state}: ${failed.error?.message ?? 'see its log'}`,
      hint: failed.error?.hint ?? `pairlab runs log ${failed.runId}`,
    })
}

async function compare(client: Client, runIds: readonly RunId[], out: Output): Promise<unknown> {
  const metric = 'test/logps/accuracies'
  const input = { runIds: [...runIds], metric }
  const first = await client.call('comparisons.get', input)
  const baseline = first.groups.find((group) => group.method === 'sft')?.groupHash ?? null
  const comparison = await client.call('comparisons.get', { ...input, baseline })
  const metrics = USUAL_METRICS.filter((name) => comparison.metricNames.includes(name))
  out.say('\nThe test side of the split, mean ± half of the 95 % interval over seeds (Student’s t):\n')
  out.say(comparisonTable(comparison, metrics))
  out.say('')
  for (const sentence of [...comparison.conclusions, ...comparison.warnings]) out.say(sentence)
  return comparison
}

export function demoCommand(): Command {
  return new Command('demo')
    .description(
      'The main job on the bundled data: import, split, train SFT, DPO, IPO and CoPG with three seeds each, compare.',
    )
    .option('--keep', 'go on in the demo folder of the last time')
    .action(async (options: { keep?: boolean }, command: Command) => {
      const { out, dataDir } = globals(command)
      const folder = path.join(resolveDataFolder(dataDir), 'demo')
      if (options.keep !== true) rmSync(folder, { recursive: true, force: true })
      const startMs = Date.now()
      const comparison = await withClient(folder, ({ client }) => runDemo(client, out))
      out.say(
        `\nDone in ${formatDuration(Date.now() - startMs)}. The models are small and the data are few: what this shows is that the road works, and what was measured.`,
      )
      out.say(`Look at it: npm run pairlab -- serve --open --data-dir "${folder}"`)
      out.result(comparison)
    })
}
