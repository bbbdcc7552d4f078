import path from 'node:path'
import { Command } from 'commander'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { announceHost, withdrawHost } from '../../main/doors/headless/http-client.ts'
import { serve, type Host } from '../../main/doors/headless/serve.ts'
import { trainCommand } from '../../main/doors/headless/verbs/train.ts'
import { algorithms } from '../../main/core/learn/registry.ts'
import type { DataKind } from '../../shared/data-kinds.ts'
import { ENDED_STATES } from '../../shared/domain.ts'
import { makeApp, waitUntil, type TestApp } from '../support/make-app.ts'
import { importTiny } from '../support/tiny-app.ts'
import { writeLetor, writeTexts } from '../support/tiny-files.ts'

/** What a method wants beside the flags that all are given. */
const OWN: Readonly<Record<string, readonly string[]>> = {
  rloo: ['--rewards', 'length'],
  grpo: ['--rewards', 'length'],
  'online-dpo': ['--rewards', 'length'],
}
const TINY = [
  '--steps',
  '2',
  '--batch-size',
  '2',
  '--micro-batch-size',
  '2',
  '--eval-every',
  '0',
  '--eval-pairs',
  '2',
  '--checkpoint-every',
  '0',
  '--sample-prompts',
  '0',
  '--max-length',
  '48',
]
const OF_KIND: Readonly<Record<DataKind, readonly string[]>> = {
  'response-pairs': ['--model', 'new:nano', '--tokenizer', 'byte'],
  'unpaired-responses': ['--model', 'new:nano', '--tokenizer', 'byte'],
  rankings: ['--model', 'networks'],
  'segment-pairs': ['--episodes', '2'],
  'contrast-groups': ['--model', 'new:nano', '--tokenizer', 'byte'],
}

describe('every method is started from the command line', () => {
  let made: TestApp
  let host: Host
  const datasets = new Map<DataKind, string>()

  beforeAll(async () => {
    made = await makeApp()
    const { client, dataFolder } = made
    host = await serve({ app: made.app, rendererFolder: null })
    announceHost(dataFolder, host, false)
    await client.call('settings.set', { slots: 2 })
    datasets.set('response-pairs', await importTiny(client, dataFolder))
    datasets.set(
      'rankings',
      (await client.call('rankings.import', { path: writeLetor(path.join(dataFolder, 'letor')) })).datasetId,
    )
    datasets.set(
      'contrast-groups',
      (await client.call('texts.import', { path: writeTexts(dataFolder, { train: 6, heldOut: 2 }) })).datasetId,
    )
    datasets.set(
      'segment-pairs',
      (
        await client.call('segments.collect', {
          world: 'lqr',
          pairs: 12,
          segmentSteps: 8,
          label: 'regret',
          name: 'segments',
        })
      ).datasetId,
    )
  })
  afterAll(async () => {
    withdrawHost(made.dataFolder)
    await host.close()
    await made.end()
  })

  test.each(algorithms.map((algorithm) => [algorithm.id, algorithm.data] as const))(
    'pairlab train %s',
    async (id, kind) => {
      const known = new Set(
        trainCommand()
          .commands.find((command) => command.name() === id)!
          .options.map((option) => option.long),
      )
      const fitting = (flags: readonly string[]): string[] =>
        flags.flatMap((flag, at) => (at % 2 === 0 && known.has(flag) ? [flag, flags[at + 1]!] : []))
      const program = new Command('pairlab')
        .option('--json')
        .option('--data-dir <folder>')
        .addCommand(trainCommand())
        .exitOverride()
      const said: string[] = []
      const write = process.stdout.write.bind(process.stdout)
      process.stdout.write = ((text: string) => said.push(text) > 0) as typeof process.stdout.write
      try {
        await program.parseAsync(
          [
            '--json',
            '--data-dir',
            made.dataFolder,
            'train',
            id,
            '--data',
            datasets.get(kind)!,
            '--detach',
            ...fitting([...TINY, ...OF_KIND[kind], ...(OWN[id] ?? [])]),
          ],
          { from: 'user' },
        )
      } finally {
        process.stdout.write = write
      }
      const [run] = await made.client.call('runs.list', { method: id })
      const totalSteps = algorithms.find((page) => page.id === id)?.learns === false ? 0 : 2
      expect(run).toMatchObject({ method: id, datasetId: datasets.get(kind), totalSteps })
      expect(said.join('')).toContain(run!.runId)
    },
  )

  test('and finishes, with the number that it is judged by', async () => {
    await waitUntil(
      'all runs to end',
      async () => (await made.client.call('runs.list', {})).every((run) => ENDED_STATES.includes(run.state)),
      240_000,
    )
    const runs = await made.client.call('runs.list', {})
    expect(
      runs.filter((run) => run.state !== 'finished').map((run) => [run.method, run.state, run.error?.message]),
    ).toEqual([])
    expect(runs.filter((run) => !Number.isFinite(run.mainValue)).map((run) => run.method)).toEqual([])
    expect(runs).toHaveLength(algorithms.length)
  }, 250_000)
})
