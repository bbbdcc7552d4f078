import { randomUUID } from 'node:crypto'
import { Command } from 'commander'
import type { ImportMapping } from '../../../../shared/contract/import-mapping.ts'
import type { Recognition } from '../../../../shared/contract/imports.ts'
import { textReading } from '../../../../shared/contract/import-readings.ts'
import type { DataKind } from '../../../../shared/data-kinds.ts'
import { AppError } from '../../../../shared/errors.ts'
import { IMPORT_WORDS } from '../../../../shared/kind-words.ts'
import type { Client } from '../../../../shared/rpc.ts'
import { formatBytes } from '../../../../shared/units.ts'
import { resolveGiven } from '../../../base/files/given-path.ts'
import { withClient } from '../connect.ts'
import { followImport, type BeginImport } from '../follow-import.ts'
import { globals } from '../globals.ts'
import { reportDataset } from '../report-import.ts'
import { addReadingOptions, readNumber, readReadingOptions, type ReadingOptions } from './import-options.ts'

/** What `--as` calls the kinds. */
const KINDS: Readonly<Record<string, DataKind>> = {
  pairs: 'response-pairs',
  answers: 'unpaired-responses',
  texts: 'contrast-groups',
  lists: 'rankings',
  segments: 'segment-pairs',
}
const FORMS: readonly string[] = textReading.shape.as.unwrap().unwrap().options

interface ImportFlags extends ReadingOptions {
  readonly name?: string
  readonly flip?: boolean
  readonly licence?: string
  readonly texts?: boolean
  readonly unpaired?: boolean
  readonly as?: string
  readonly form?: string
  readonly world?: string
  readonly score?: string
  readonly steps?: number
}

export function importCommand(): Command {
  return addReadingOptions(new Command('import'))
    .description(
      'Import data of any kind: preference pairs, single answers, texts, judged lists, segments. What the file or the folder holds is seen by its content. Good rows are kept; the others are listed with line and reason.',
    )
    .argument(
      '<path>',
      'JSONL, JSON, CSV, TSV or Parquet, lines of text, also .gz; a BEIR or MS MARCO folder; a LETOR file or folder; npz or JSONL of segments; "sample" for the bundled pairs, "sample:cranfield" for the bundled collection',
    )
    .option('--name <name>', 'name of the data set')
    .option('--licence <text>', 'licence of the data')
    .option(
      '--as <kind>',
      `what it is, where the content does not tell, or tells wrong: ${Object.keys(KINDS).join(', ')}; with --texts also ${FORMS.join(', ')}`,
    )
    .option('--flip', 'pairs: swap chosen and rejected in every row')
    .option('--form <form>', `texts: ${FORMS.join(', ')}, where a file could be read in two ways`)
    .option('--world <id>', 'npz of segments: the world they come from, if it is one of `pairlab collect`')
    .option('--score <array>', 'npz of segments: which array orders them; default: rl_sum, then others that are known')
    .option('--steps <n>', 'npz of steps in a row: steps of a segment', readNumber)
    .option('--texts', 'the same as --as texts')
    .option('--unpaired', 'the same as --as answers')
    .addHelpText(
      'after',
      '\nExamples:\n  pairlab import pairs.jsonl --name "My pairs"\n  pairlab import judged.csv --map question=prompt --map answer1=a --map answer2=b --map judge=label\n  pairlab import ratings.jsonl --scale 1..7 --direction low-is-first\n  pairlab import votes.csv --values "x=a,y=b,z=tie"\n  pairlab import thumbs.jsonl        prompt, completion, label\n  pairlab import sentences.txt       one text a line\n  pairlab import scifact/            a BEIR folder\n  pairlab import MSLR/Fold1/         train.txt, vali.txt, test.txt\n  pairlab import segments.npz --world reach\n  pairlab import sentences.csv --as texts --form lines\n  pairlab import sample',
    )
    .action(async (given: string, flags: ImportFlags, command: Command) => {
      const { out, dataDir } = globals(command)
      await withClient(dataDir, async ({ client }) => {
        const begin = /^sample(:|$)/.test(given)
          ? await openingSample(client, given)
          : await importing(client, given, flags, out.note)
        const datasetId = await followImport(client, begin, out.note)
        await reportDataset(client, await client.call('datasets.get', { datasetId }), out)
      })
    })
}

async function openingSample(client: Client, given: string): Promise<BeginImport> {
  const sampleId = given.split(':')[1] ?? (await client.call('samples.list', {}))[0]?.sampleId ?? ''
  return () => client.call('samples.open', { sampleId })
}

async function importing(
  client: Client,
  given: string,
  flags: ImportFlags,
  tell: (text: string) => void,
): Promise<BeginImport> {
  const said = saidKind(flags)
  const { kind, path } =
    said === null ? await sniff(client, given, tell) : { kind: said, path: await onlyFile(client, resolveGiven(given)) }
  const mapping = kind === 'response-pairs' ? await mappingOf(client, path, flags) : null
  const request = {
    path,
    kind,
    name: flags.name ?? '',
    licence: flags.licence ?? null,
    mapping,
    ...(kind === 'contrast-groups' ? { texts: { as: formOf(flags), scale: flags.scale ?? null } } : {}),
    ...(kind === 'segment-pairs'
      ? {
          segments: {
            world: flags.world ?? null,
            scoreName: flags.score ?? null,
            ...(flags.steps === undefined ? {} : { segmentSteps: flags.steps }),
          },
        }
      : {}),
    clientKey: randomUUID(),
  }
  return async () => ({ ...(await client.call('datasets.import', request)), datasetId: null })
}

/** What a person says, by name or by what they say of columns and labels. */
function saidKind(flags: ImportFlags): DataKind | null {
  const { as, texts, unpaired } = flags
  const named = as === undefined ? undefined : KINDS[as]
  if (as !== undefined && named === undefined && !(FORMS.includes(as) && texts === true))
    throw new AppError({
      code: 'usage-invalid',
      message: `--as ${as} is no kind of data.`,
      hint: FORMS.includes(as)
        ? `For texts in that form: --as texts --form ${as}.`
        : `Say one of ${Object.keys(KINDS).join(', ')}.`,
    })
  if (named !== undefined) return named
  if (texts === true) return 'contrast-groups'
  if (unpaired === true) return 'unpaired-responses'
  // Roles of columns, meanings of labels and a direction are of pairs alone.
  return flags.map === undefined && flags.values === undefined && flags.direction === undefined
    ? null
    : 'response-pairs'
}

function formOf({ as, form }: ImportFlags): 'lines' | null {
  const found = form ?? (as !== undefined && FORMS.includes(as) ? as : null)
  return found as 'lines' | null // the contract checks it
}

/** A folder that holds one file of data stands for that file. */
async function onlyFile(client: Client, path: string): Promise<string> {
  const found = await client.call('imports.recognize', { path }).catch(() => null) // reading it says what is wrong
  return found === null || found.kind === 'rankings' ? path : found.path
}

async function sniff(
  client: Client,
  given: string,
  tell: (text: string) => void,
): Promise<{ readonly kind: DataKind; readonly path: string }> {
  const found = await client.call('imports.recognize', { path: resolveGiven(given) })
  if (found.kind === null) throw notTold(found)
  tell(describeRecognition(found))
  return { kind: found.kind, path: found.path }
}

/** One line for what it was taken for, one for each other way to take it. */
export function describeRecognition(found: Recognition): string {
  const { kind, fileName, sizeBytes, because, hint, others } = found
  if (kind === null) return `${fileName}, ${formatBytes(sizeBytes)}: ${because}.`
  return [
    `${fileName}, ${formatBytes(sizeBytes)}: looks like ${IMPORT_WORDS[kind]}, because ${because}.`,
    ...others.map((other) => `  Or ${IMPORT_WORDS[other.kind]} (${other.because}): --as ${nameOfKind(other.kind)}`),
    ...(hint === '' ? [] : [`  ${hint}`]),
  ].join('\n')
}

function nameOfKind(kind: DataKind): string {
  return Object.keys(KINDS).find((name) => KINDS[name] === kind) ?? kind
}

function notTold({ path, because, hint, files }: Recognition): AppError {
  return new AppError({
    code: 'format-unknown',
    message: `What ${path} holds is not clear: ${because}.`,
    hint:
      files.length > 0
        ? `${hint} They are ${files.join(', ')}.`
        : `${hint} On the command line: --as ${Object.keys(KINDS).join(', --as ')}; for pairs, --map column=role.`,
  })
}

async function mappingOf(client: Client, path: string, flags: ImportFlags): Promise<ImportMapping> {
  const { mapping } = await client.call('datasets.inspect', { path, limit: 1, ...readReadingOptions(flags) })
  return { ...mapping, flip: flags.flip === true ? !mapping.flip : mapping.flip }
}
