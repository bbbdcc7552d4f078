import { Command } from 'commander'
import type { DatasetSummary } from '../../../../shared/contract/datasets.ts'
import type { LabelQuestion } from '../../../../shared/contract/import-mapping.ts'
import type { Client } from '../../../../shared/rpc.ts'
import { formatBytes, formatCount } from '../../../../shared/units.ts'
import { pick, withClient } from '../connect.ts'
import { formatTable } from '../output.ts'
import { globals } from '../globals.ts'
import { addReadingOptions, readReadingOptions, type ReadingOptions } from './import-options.ts'
import { resolveGiven } from '../../../base/files/given-path.ts'

export async function pickDataset(client: Client, wanted: string): Promise<DatasetSummary> {
  return pick(
    await client.call('datasets.list', {}),
    wanted,
    'data set',
    (one) => one.datasetId,
    (one) => one.name,
  )
}

export function inspectCommand(): Command {
  return addReadingOptions(new Command('inspect'))
    .description('Show how a file would be read: format, roles of the columns, who wins in plain words, bad rows.')
    .argument('<file>')
    .option('--rows <n>', 'rows to show', '5')
    .action(async (file: string, options: { rows: string } & ReadingOptions, command: Command) => {
      const { out, dataDir } = globals(command)
      await withClient(dataDir, async ({ client }) => {
        const found = await client.call('datasets.inspect', {
          path: resolveGiven(file),
          limit: Number(options.rows),
          ...readReadingOptions(options),
        })
        const columns = formatTable(
          [
            { title: 'column', text: (row) => row.name },
            { title: 'read as', text: (row) => row.role },
            { title: 'type', text: (row) => row.type },
            { title: 'example', text: (row) => row.example.slice(0, 50) },
          ],
          found.columns,
        )
        const rows = found.rows.map((row) => `line ${row.line}: ${row.sentence}`)
        const problems = found.problems.map((problem) => `line ${problem.line}: ${problem.reason} ${problem.hint}`)
        const missing =
          found.missingRoles.length === 0
            ? []
            : [`Still needed: ${found.missingRoles.join(', ')}. Give them with --map column=role at import.`]
        const labels = found.mapping.labelWords === '' ? [] : [`Labels: ${found.mapping.labelWords}.`]
        out.result(
          found,
          [
            `${found.fileName}: ${formatBytes(found.sizeBytes)}, ${found.mapping.format}, layout ${found.mapping.layout}`,
            '',
            columns,
            '',
            ...rows,
            ...problems,
            ...labels,
            ...missing,
            ...found.questions.map(describeQuestion),
          ].join('\n'),
        )
      })
    })
}

/** The readings of labels that are possible, each with rows of the file and the option that chooses it. */
function describeQuestion({ reason, columns, readings }: LabelQuestion): string {
  const ways = readings.flatMap((reading) => [
    '',
    `  ${reading.title}   ${reading.option}`,
    ...reading.examples.map(
      ({ line, value, meaning }) => `    row ${line}: ${columns.join(', ')} ${value} → ${meaning}`,
    ),
  ])
  return [
    `Still to be said: ${reason}`,
    ...ways,
    '',
    `  Or: --values "…=a,…=b,…=tie"; or leave ${columns.length === 1 ? 'the column' : 'the columns'} out: ${columns.map((column) => `--map ${column}=ignore`).join(' ')}`,
  ].join('\n')
}

export function samplesCommand(): Command {
  return new Command('samples')
    .description('List the data sets that come with Pairlab, with their licences.')
    .action(async (_options: unknown, command: Command) => {
      const { out, dataDir } = globals(command)
      await withClient(dataDir, async ({ client }) => {
        const all = await client.call('samples.list', {})
        out.result(
          all,
          all
            .map(
              (one) =>
                `${one.sampleId}: ${one.title}. ${one.text}\n  ${one.licence}. ${one.attribution}\n  ${one.datasetId === null ? `Import it: pairlab import sample:${one.sampleId}` : `Imported as ${one.datasetId}`}`,
            )
            .join('\n'),
        )
      })
    })
}

export function datasetsCommand(): Command {
  return new Command('datasets')
    .alias('data')
    .description('List the data sets.')
    .action(async (_options: unknown, command: Command) => {
      const { out, dataDir } = globals(command)
      await withClient(dataDir, async ({ client }) => {
        const all = await client.call('datasets.list', {})
        const table = formatTable(
          [
            { title: 'id', text: (row) => row.datasetId },
            { title: 'name', text: (row) => row.name },
            { title: 'items', right: true, text: (row) => formatCount(row.itemCount) },
            { title: 'labeled', right: true, text: (row) => formatCount(row.labeledCount) },
            { title: 'annotators', text: (row) => row.annotators.join(', ') },
          ],
          all,
        )
        out.result(all, all.length === 0 ? 'No data set yet. Try: pairlab import sample' : table)
      })
    })
}

export function agreementCommand(): Command {
  return new Command('agreement')
    .description("How far the annotators of a data set agree: Cohen's κ of each two, Krippendorff's α of all.")
    .argument('<data set>')
    .action(async (wanted: string, _options: unknown, command: Command) => {
      const { out, dataDir } = globals(command)
      await withClient(dataDir, async ({ client }) => {
        const { datasetId } = await pickDataset(client, wanted)
        const found = await client.call('datasets.agreement', { datasetId })
        const text = (value: number | null, low: number | null, high: number | null): string =>
          value === null
            ? 'not defined'
            : `${value.toFixed(4)}${low === null || high === null ? '' : ` [${low.toFixed(3)}, ${high.toFixed(3)}]`}`
        out.result(
          found,
          [
            ...found.pairs.map(
              (pair) =>
                `Cohen's κ, ${pair.first} and ${pair.second}: ${text(pair.kappa, pair.low, pair.high)}, n = ${pair.n}`,
            ),
            `Krippendorff's α, all: ${text(found.alpha, found.alphaLow, found.alphaHigh)}`,
            `All agree on ${found.allAgree} of ${found.bothLabeled} pairs that several people labeled. Intervals: 95 %.`,
          ].join('\n'),
        )
      })
    })
}

export function exportCommand(): Command {
  return new Command('export')
    .description("Write a data set with its labels into the data folder's exports/.")
    .argument('<data set>')
    .option(
      '--format <format>',
      'preferences | pairs-with-labels | label-events; of segments: segments-jsonl | cpl-npz',
      'preferences',
    )
    .action(async (wanted: string, options: { format: string }, command: Command) => {
      const { out, dataDir } = globals(command)
      await withClient(dataDir, async ({ client }) => {
        const { datasetId } = await pickDataset(client, wanted)
        const segments = options.format === 'segments-jsonl' || options.format === 'cpl-npz'
        const done = segments
          ? await client.call('segments.export', { datasetId, format: options.format as 'cpl-npz' })
          : await client.call('datasets.export', { datasetId, format: options.format as 'preferences' }) // checked by the contract
        out.result(done, `${formatCount(done.rows)} rows written to ${done.path}`)
      })
    })
}
