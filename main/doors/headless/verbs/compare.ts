import { Command, Option } from 'commander'
import { AppError } from '../../../../shared/errors.ts'
import { pointInWords, USUAL_METRICS } from '../../../../shared/compare-point.ts'
import type { Comparison, Interval } from '../../../../shared/contract/comparisons.ts'
import type { RunId } from '../../../../shared/domain.ts'
import type { Client } from '../../../../shared/rpc.ts'
import { formatInterval } from '../../../../shared/units.ts'
import { withClient } from '../connect.ts'
import { globals } from '../globals.ts'
import { formatTable, type Output } from '../output.ts'
import { pickRun } from './runs.ts'

export function intervalText(value: Interval | undefined): string {
  if (value === undefined || value.mean === null) return '–'
  const half = value.low === null || value.high === null ? null : (value.high - value.low) / 2
  return half === null
    ? `${formatInterval(value.mean, null)} (n = ${value.n})`
    : `${formatInterval(value.mean, half)} (n = ${value.n})`
}

/** One row a configuration: mean ± half of the 95 % interval over seeds, with n. */
export function comparisonTable(comparison: Comparison, metrics: readonly string[]): string {
  return formatTable(
    [
      { title: 'configuration', text: (group) => group.label },
      ...(new Set(comparison.groups.map((group) => group.data)).size > 1
        ? [{ title: 'data', text: (group: Comparison['groups'][number]) => group.data }]
        : []),
      ...metrics.map((metric) => ({
        title: metric,
        right: true,
        text: (group: Comparison['groups'][number]) => intervalText(group.values[metric]),
      })),
    ],
    comparison.groups,
  )
}

interface CompareOptions {
  readonly metric?: string
  readonly metrics?: string
  readonly at: string
  readonly interval: string
  readonly baseline?: string
  readonly margin?: string
  readonly format: string
  readonly byQuery?: boolean
  readonly side: string
}

async function chosenRuns(client: Client, wanted: readonly string[]): Promise<RunId[]> {
  if (wanted.length > 0) return Promise.all(wanted.map(async (one) => (await pickRun(client, one)).runId))
  const finished = (await client.call('runs.list', {})).filter((run) => run.state === 'finished')
  if (finished.length === 0)
    throw new AppError({
      code: 'not-found',
      message: 'There is no finished run to compare.',
      hint: 'Train two methods with three seeds each: pairlab train --help',
    })
  return finished.map((run) => run.runId)
}

async function compareByQuery(
  client: Client,
  wanted: readonly string[],
  options: CompareOptions,
  out: Output,
): Promise<void> {
  if (wanted.length !== 2)
    throw new AppError({
      code: 'usage-invalid',
      message: `--by-query compares two runs, not ${wanted.length}.`,
      hint: 'For example: pairlab compare warm-1 pg-rank-1 --by-query',
    })
  const [a, b] = await Promise.all(wanted.map((one) => pickRun(client, one)))
  const measure = (options.metric ?? 'ndcg') as 'ndcg' // the contract checks it
  const found = await client.call('rankings.compare', {
    a: a!.runId,
    b: b!.runId,
    side: options.side as 'test',
    at: options.at === 'last' ? 'last' : 'best',
    measure,
  })
  const interval =
    found.low === null || found.high === null ? '' : ` [${found.low.toFixed(4)}, ${found.high.toFixed(4)}]`
  out.result(
    found,
    [
      `${measure} on ${found.items.length} ${options.side} queries, ${pointInWords(options.side === 'test' && options.at !== 'last' ? 'best' : 'last')}: ${a!.runId} ${found.meanA.toFixed(4)}, ${b!.runId} ${found.meanB.toFixed(4)}`,
      `${b!.runId} less ${a!.runId}: ${found.difference.toFixed(4)}${interval}, paired bootstrap over queries, 95 %`,
      `Better for ${found.better} queries, worse for ${found.worse}, the same for ${found.equal}.`,
    ].join('\n'),
  )
}

function marginOf(text: string | undefined): number | null {
  if (text === undefined) return null
  const value = Number(text)
  if (Number.isFinite(value) && value > 0) return value
  throw new AppError({
    code: 'usage-invalid',
    message: `--margin takes a number above 0, not “${text}”.`,
    hint: 'For an accuracy, for example: --margin 0.02',
  })
}

export function compareCommand(): Command {
  return new Command('compare')
    .description(
      'Compare runs: seeds of one configuration become one row with its interval. Without arguments: all finished runs.',
    )
    .argument('[run...]')
    .option(
      '--metric <name>',
      'what the differences are about (default: what most of the runs are judged by and all have, on the test side where there is one)',
    )
    .option('--metrics <names>', 'columns, comma-separated')
    .option('--at <point>', 'best (the checkpoint that the validation side chose), last, or a step', 'best')
    .addOption(new Option('--interval <kind>').choices(['t', 'bootstrap', 'sd', 'none']).default('t'))
    .option('--baseline <run>', 'compare against the configuration of this run')
    .option('--margin <difference>', 'a difference below which two are called equivalent, where the whole interval is')
    .addOption(new Option('--format <format>').choices(['text', 'csv', 'latex', 'markdown']).default('text'))
    .option('--by-query', 'two rankers on the same held-out queries, paired query by query')
    .addOption(new Option('--side <side>', 'of --by-query').choices(['validation', 'test']).default('test'))
    .action(async (wanted: string[], options: CompareOptions, command: Command) => {
      const { out, dataDir } = globals(command)
      await withClient(dataDir, async ({ client }) => {
        if (options.byQuery === true) return compareByQuery(client, wanted, options, out)
        const runIds = await chosenRuns(client, wanted)
        const at = options.at === 'last' || options.at === 'best' ? options.at : Number(options.at)
        const baseline = options.baseline === undefined ? null : (await pickRun(client, options.baseline)).groupHash
        const input = {
          runIds,
          metric: options.metric ?? '',
          at,
          interval: options.interval as 't',
          baseline,
          margin: marginOf(options.margin),
        } as const // checked by the contract
        const comparison = await client.call('comparisons.get', input)
        const metrics = options.metrics?.split(',') ?? [
          ...new Set([comparison.metric, ...USUAL_METRICS.filter((metric) => comparison.metricNames.includes(metric))]),
        ]
        if (options.format !== 'text')
          return out.result(
            comparison,
            await client.call('comparisons.table', {
              ...input,
              format: options.format as 'csv',
              metrics: [...metrics],
            }),
          )
        out.result(
          comparison,
          [
            comparisonTable(comparison, metrics),
            '',
            ...comparison.conclusions,
            ...comparison.warnings.map((warning) => `Mind: ${warning}`),
          ].join('\n'),
        )
      })
    })
}
