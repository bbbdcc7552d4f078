import { randomUUID } from 'node:crypto'
import { Command } from 'commander'
import { AppError } from '../../../../shared/errors.ts'
import type { ImportJob, LabelQuestion } from '../../../../shared/contract/datasets.ts'
import type { DatasetDetail, DatasetSummary } from '../../../../shared/contract/datasets.ts'
import type { Client } from '../../../../shared/rpc.ts'
import { formatBytes, formatCount, formatDuration } from '../../../../shared/units.ts'
import type { DatasetId, JobId } from '../../../../shared/domain.ts'
import { nullIfUnknown, pick, withClient } from '../connect.ts'
import { looksLikeRankings } from '../../../core/retrieval/to-dataset.ts'
import { formatTable, type Output } from '../output.ts'
import { globals } from '../globals.ts'
import { reportImport } from '../report-import.ts'
import { importSegments } from './collect.ts'
import { holdsSingleAnswers, importUnpaired } from './import-unpaired.ts'
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

/** What begins an import, and what it made where it was there already. Called again, it makes nothing twice. */
export type BeginImport = () => Promise<{
  readonly jobId: ImportJob['jobId'] | null
  readonly datasetId: DatasetId | null
}>

/** Begins an import and waits for it, telling how far it is. One that went with the process it ran in begins again. */
export async function followImport(
  client: Client,
  begin: BeginImport,
  tell: (text: string) => void,
): Promise<DatasetId> {
  for (;;) {
    const { jobId, datasetId } = await begin()
    const made = jobId === null ? datasetId : await untilImported(client, jobId, tell)
    if (made !== null) return made
  }
}

/** Null when nobody knows the import any more. */
async function untilImported(client: Client, jobId: JobId, tell: (text: string) => void): Promise<DatasetId | null> {
  let toldMs = Date.now()
  for (;;) {
    const job = await nullIfUnknown(client.call('datasets.importJob', { jobId }))
    if (job === null) return null
    if (job.state === 'finished') return job.datasetId
    if (job.state === 'failed')
      throw new AppError({
        code: 'dataset-invalid',
        message: job.error?.message ?? 'The import failed.',
        hint: job.error?.hint ?? 'Look at the file with `pairlab inspect`.',
        ...(job.error?.leftOut == null ? {} : { details: { leftOut: job.error.leftOut } }),
      })
    if (job.state === 'cancelled')
      throw new AppError({
        code: 'cancelled',
        message: 'The import was cancelled; nothing was kept.',
        hint: 'Start it again when you like.',
      })
    if (Date.now() - toldMs > 2000) {
      toldMs = Date.now()
      tell(
        `${formatBytes(job.bytesRead)} of ${formatBytes(job.totalBytes)}, ${formatCount(job.rowsKept)} rows${job.remainingMs === null ? '' : `, ${formatDuration(job.remainingMs)} left`}`,
      )
    }
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
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

export function importCommand(): Command {
  return addReadingOptions(new Command('import'))
    .description(
      'Import preference pairs, single answers called good or bad, or queries with judged documents. Good rows are kept; the others are listed with line and reason.',
    )
    .argument(
      '<file>',
      'JSONL, JSON, CSV or TSV of pairs, also .gz; a BEIR or MS MARCO folder; a LETOR file or folder; "sample" for the bundled pairs, "sample:cranfield" for the bundled collection',
    )
    .option('--name <name>', 'name of the data set')
    .option('--flip', 'swap chosen and rejected in every row')
    .option('--licence <text>', 'licence of the data')
    .option(
      '--texts',
      'read texts to embed or to learn to write: lines with query, positive and negative (JSONL), one text a line, or STS-B',
    )
    .option(
      '--unpaired',
      'read single answers: prompt, completion and label (true or false, 1 or 0, good or bad); found by itself where the columns are called so',
    )
    .option('--as <form>', 'with --texts: lines, jsonl, json, csv or tsv, where a file could be read in two ways')
    .addHelpText(
      'after',
      '\nExamples:\n  pairlab import pairs.jsonl --name "My pairs"\n  pairlab import judged.csv --map question=prompt --map answer1=a --map answer2=b --map judge=label\n  pairlab import ratings.jsonl --scale 1..7 --direction low-is-first\n  pairlab import votes.csv --values "x=a,y=b,z=tie"\n  pairlab import thumbs.jsonl        prompt, completion, label\n  pairlab import scifact/            a BEIR folder\n  pairlab import MSLR/Fold1/         train.txt, vali.txt, test.txt\n  pairlab import sample',
    )
    .action(
      async (
        file: string,
        options: {
          name?: string
          flip?: boolean
          licence?: string
          texts?: boolean
          unpaired?: boolean
          as?: string
        } & ReadingOptions,
        command: Command,
      ) => {
        const { out, dataDir } = globals(command)
        await withClient(dataDir, async ({ client }) => {
          if (/\.npz$/i.test(file))
            return importSegments(client, file, options.name === undefined ? {} : { name: options.name }, out)
          if (options.texts === true) return importTexts(client, file, options, out)
          if (!/^sample(:|$)/.test(file) && looksLikeRankings(resolveGiven(file)))
            return importRankings(client, file, options, out)
          if (options.unpaired === true || (options.map === undefined && (await holdsSingleAnswers(client, file))))
            return importUnpaired(client, file, options, out)
          const done = await followImport(
            client,
            /^sample(:|$)/.test(file) ? await openingSample(client, file) : await importing(client, file, options),
            out.note,
          )
          const detail = await client.call('datasets.get', { datasetId: done })
          if (detail.kind === 'rankings') return reportRankings(client, detail, out)
          await reportImport(client, detail, out, {
            counts: `${formatCount(detail.itemCount)} pairs, ${formatCount(detail.promptCount)} prompts, ${formatCount(detail.labelCount)} labels`,
            next: `pairlab label ${detail.datasetId}   or   pairlab train dpo --data ${detail.datasetId}`,
          })
        })
      },
    )
}

async function importTexts(
  client: Client,
  file: string,
  options: { readonly name?: string; readonly licence?: string; readonly as?: string; readonly scale?: string },
  out: Output,
): Promise<void> {
  const { datasetId } = await client.call('texts.import', {
    path: resolveGiven(file),
    name: options.name ?? '',
    licence: options.licence ?? null,
    as: (options.as ?? null) as 'lines' | null,
    scale: options.scale ?? null,
  }) // the contract checks the form
  const detail = await client.call('datasets.get', { datasetId })
  const { train, validation, test } = detail.split.counts
  await reportImport(client, detail, out, {
    counts: `${formatCount(detail.itemCount)} items (${train} to train on, ${validation} to validate, ${test} to test)`,
    of: 'lines',
    next: `pairlab train language-model --data ${detail.datasetId}   then   pairlab train grace --data ${detail.datasetId} --model run:<its id>`,
  })
}

async function importRankings(
  client: Client,
  file: string,
  options: { readonly name?: string; readonly licence?: string },
  out: Output,
): Promise<void> {
  const { datasetId } = await client.call('rankings.import', {
    path: resolveGiven(file),
    name: options.name ?? '',
    licence: options.licence ?? null,
  })
  await reportRankings(client, await client.call('datasets.get', { datasetId }), out)
}

async function reportRankings(client: Client, detail: DatasetDetail, out: Output): Promise<void> {
  const { datasetId } = detail
  const { documents } = await client.call('rankings.collection', { datasetId })
  const { train, validation, test } = detail.split.counts
  await reportImport(client, detail, out, {
    counts: `${formatCount(detail.itemCount)} queries (${train} to train on, ${validation} to validate, ${test} to test), ${documents === 0 ? 'documents as features' : `${formatCount(documents)} documents`}`,
    next: `pairlab train infonce --data ${datasetId} --model networks --preset features`,
  })
}

async function openingSample(client: Client, file: string): Promise<BeginImport> {
  const sampleId = file.split(':')[1] ?? (await client.call('samples.list', {}))[0]?.sampleId ?? ''
  return () => client.call('samples.open', { sampleId })
}

async function importing(
  client: Client,
  file: string,
  options: { name?: string; flip?: boolean; licence?: string } & ReadingOptions,
): Promise<BeginImport> {
  const absolute = resolveGiven(file)
  const { mapping } = await client.call('datasets.inspect', {
    path: absolute,
    limit: 1,
    ...readReadingOptions(options),
  })
  const flipped = { ...mapping, flip: options.flip === true ? !mapping.flip : mapping.flip }
  const clientKey = randomUUID()
  return async () => ({
    ...(await client.call('datasets.import', {
      path: absolute,
      name: options.name ?? '',
      mapping: flipped,
      licence: options.licence ?? null,
      clientKey,
    })),
    datasetId: null,
  })
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
