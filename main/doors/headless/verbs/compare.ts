import { Command, Option } from 'commander'
import { AppError } from '../../../../shared/errors.ts'
import { pointInWords, USUAL_METRICS } from '../../../../shared/compare-point.ts'
import type { Comparison, Interval } from '../../../../shared/contract/comparisons.ts'
import type { RunId } from '../../../../shared/domain.ts'
import type { Input, Output as CallOutput } from '../../../../shared/contract.ts'
import type { Client } from '../../../../shared/rpc.ts'
import { formatInterval, formatNumber } from '../../../../shared/units.ts'
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
  readonly byItem?: boolean
  readonly byQuery?: boolean
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

/** One configuration against another on each held-out item; two runs stand for themselves, whatever their settings. */
async function compareByItem(client: Client, input: Input<'comparisons.items'>, out: Output): Promise<void> {
  const asked = input.runIds.length === 2 ? ({ ...input, groupBy: 'none' } as const) : input
  const found = await client.call('comparisons.items', asked)
  const comparison = await client.call('comparisons.get', { ...asked, metric: found.metric })
  const labelOf = (key: string): string => comparison.groups.find(({ groupHash }) => groupHash === key)?.label ?? key
  const [name, base] = [labelOf(found.group), labelOf(found.baseline)]
  const { difference, items, total } = found
  const changed = [...items.slice(0, SHOWN_ITEMS), ...items.slice(SHOWN_ITEMS).slice(-SHOWN_ITEMS)].filter(
    (one) => one.group !== one.baseline,
  )
  out.result(
    found,
    [
      `${found.metric} on ${total} held-out items, ${pointInWords(input.at ?? 'best')}: ${base} ${found.means.baseline.toFixed(4)}, ${name} ${found.means.group.toFixed(4)}`,
      difference === null
        ? `${name} less ${base}: ${(found.means.group - found.means.baseline).toFixed(4)}; the items are all of one prompt, so that there is no interval`
        : `${name} less ${base}: ${difference.mean.toFixed(4)} [${difference.low.toFixed(4)}, ${difference.high.toFixed(4)}], 95 % interval, paired by item${difference.overSeeds ? ', over seeds and items' : ', of these weights alone'}`,
      `Higher for ${found.better}, lower for ${found.worse}, the same for ${found.equal}.`,
      ...(changed.length === 0 ? [] : ['', itemTable(changed, name, base)]),
    ].join('\n'),
  )
}

/** At either end. */
const SHOWN_ITEMS = 5
const TITLE_CHARACTERS = 60

function itemTable(items: CallOutput<'comparisons.items'>['items'], name: string, base: string): string {
  return formatTable(
    [
      { title: base, right: true, text: (one) => one.baseline.toFixed(4) },
      { title: name, right: true, text: (one) => one.group.toFixed(4) },
      {
        title: 'item',
        text: ({ id, title }) => `${id}${title === null ? '' : `  ${oneLine(title).slice(0, TITLE_CHARACTERS)}`}`,
      },
    ],
    items,
  )
}

function oneLine(text: string): string {
  return text.replace(/\s+/gu, ' ').trim()
}

/** Of policies that act: what single lucky runs move little. */
function robustLines({ robust, groups }: Comparison): string[] {
  if (robust === null) return []
  const bounds = ({ low, high }: { readonly low: number | null; readonly high: number | null }): string =>
    low === null || high === null ? '' : ` [${formatNumber(low)}, ${formatNumber(high)}]`
  return [
    '',
    formatTable(
      [
        {
          title: 'configuration',
          text: ({ groupHash }: (typeof robust.groups)[number]) =>
            groups.find((group) => group.groupHash === groupHash)?.label ?? groupHash,
        },
        { title: 'interquartile mean', right: true, text: ({ iqm }) => `${formatNumber(iqm.mean)}${bounds(iqm)}` },
        {
          title: 'P(above the baseline)',
          right: true,
          text: ({ groupHash }) => {
            const found = robust.improvements.find((one) => one.groupHash === groupHash)
            return found === undefined ? 'baseline' : `${found.probability.toFixed(2)}${bounds(found)}`
          },
        },
      ],
      robust.groups,
    ),
    'Over seeds, 95 % by bootstrap, which few seeds make too narrow.',
  ]
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
    .option(
      '--by-item',
      'one against the other on each held-out pair, query, prompt or episode; two runs, or two configurations',
    )
    .addOption(new Option('--by-query', 'the same').hideHelp())
    .action(async (wanted: string[], options: CompareOptions, command: Command) => {
      const { out, dataDir } = globals(command)
      await withClient(dataDir, async ({ client }) => {
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
        if (options.byItem === true || options.byQuery === true) return compareByItem(client, input, out)
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
            ...robustLines(comparison),
            '',
            ...comparison.conclusions,
            ...comparison.warnings.map((warning) => `Mind: ${warning}`),
          ].join('\n'),
        )
      })
    })
}
