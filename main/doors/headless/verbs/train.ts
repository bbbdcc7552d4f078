import { Command, Option } from 'commander'
import { z } from 'zod'
import type { TokenPreview } from '../../../../shared/contract/runs.ts'
import { AppError } from '../../../../shared/errors.ts'
import { engineName, type RunId } from '../../../../shared/domain.ts'
import { KIND_WORDS } from '../../../../shared/kind-words.ts'
import { parseSeeds } from '../../../../shared/form.ts'
import { parseModelReference } from '../../../../shared/model-reference.ts'
import { sayProblems } from '../../../../shared/request-problems.ts'
import { rewardSource, type RunRequestInput } from '../../../../shared/run-spec.ts'
import { stateWord } from '../../../../shared/state-words.ts'
import { trainingConfig, type TrainingConfig } from '../../../../shared/training-config.ts'
import { LAYOUT_WORDS } from '../../../../shared/text-layouts.ts'
import { presetFor, type PresetModel } from '../../../../shared/presets.ts'
import type { Client } from '../../../../shared/rpc.ts'
import { formatBytes, formatCount, formatDuration, formatInterval } from '../../../../shared/units.ts'
import { mainValueText } from '../main-value.ts'
import { algorithms } from '../../../core/learn/registry.ts'
import { withClient } from '../connect.ts'
import { globals } from '../globals.ts'
import type { Output } from '../output.ts'
import { followRuns } from '../progress.ts'
import { addSchemaFlags, readSchemaFlags } from '../schema-flags.ts'
import { pickDataset } from './data.ts'
import { pickModel } from './models.ts'
import { pickRun } from './runs.ts'

const trainingSchema = z.toJSONSchema(trainingConfig, { io: 'input' })
const judgeSchema = z.toJSONSchema(z.object({ judge: rewardSource }), { io: 'input' })

interface TrainOptions {
  readonly data: string
  readonly model: string
  readonly tokenizer: string
  readonly vocabSize: string
  readonly untied?: boolean
  readonly bySeed?: boolean
  readonly seeds: string
  readonly engine: string
  readonly threads?: string
  readonly preset?: string
  readonly name?: string
  readonly annotators?: string
  readonly aggregation: string
  readonly splitSeed: string
  readonly detach?: boolean
  readonly check?: boolean
  readonly estimate?: boolean
}

async function readModel(client: Client, options: TrainOptions): Promise<RunRequestInput['model']> {
  const named = parseModelReference(options.model)
  if (options.bySeed === true && named?.kind !== 'run')
    throw new AppError({
      code: 'usage-invalid',
      message: `--by-seed needs runs to start from; --model ${options.model} names none.`,
      hint: 'For example: --model run:sft-1 --by-seed --seeds 1-3.',
    })
  switch (named?.kind) {
    case 'networks':
      return named
    case 'new': {
      const tokenizer =
        options.tokenizer === 'byte'
          ? { kind: 'byte' as const }
          : { kind: 'bpe' as const, vocabSize: Number(options.vocabSize) }
      return {
        kind: 'new',
        preset: (named.preset === '' ? 'micro' : named.preset) as 'micro',
        tokenizer,
        tiedEmbeddings: options.untied !== true,
      } // the contract checks the preset
    }
    case 'model':
      return { kind: 'registered', modelId: (await pickModel(client, named.model)).modelId }
    case 'run': {
      const run = await pickRun(client, named.run)
      return { kind: 'run', runId: run.runId, checkpoint: named.checkpoint, bySeed: options.bySeed === true }
    }
    case undefined:
      throw new AppError({
        code: 'usage-invalid',
        message: `--model ${options.model} is neither new:<preset> nor run:<id>, run:<id>@best, run:<id>@last or run:<id>@<step>, nor model:<id>.`,
        hint: 'For example: --model new:micro, --model run:sft-1 to start from a finished run, --model model:SmolLM for one that was added.',
      })
  }
}

async function readRequest(
  client: Client,
  method: string,
  schema: unknown,
  options: TrainOptions & Record<string, unknown>,
): Promise<RunRequestInput> {
  const { datasetId } = await pickDataset(client, options.data)
  const seeds = parseSeeds(options.seeds)
  if (seeds === null)
    throw new AppError({
      code: 'usage-invalid',
      message: `--seeds ${options.seeds} is not a list of whole numbers.`,
      hint: 'For example: --seeds 1-5, or --seeds 1,4,7.',
    })
  const info = (await client.call('algorithms.list', {})).find((one) => one.id === method)
  const model = await readModel(client, options)
  const trainingFlags = readSchemaFlags(trainingSchema, options)
  const preset =
    options.preset !== undefined || info === undefined
      ? info?.presets.find((one) => one.id === options.preset)
      : presetFor(
          info.presets,
          await beginning(client, model),
          (trainingFlags['adapt'] ?? null) as TrainingConfig['adapt'] | null,
        ) // the contract checks it
  if (preset === undefined)
    throw new AppError({
      code: 'usage-invalid',
      message: `${method} has no preset "${options.preset}".`,
      hint: `It has: ${info?.presets.map((one) => one.id).join(', ')}.`,
    })
  const { judge } = readSchemaFlags(judgeSchema, options)
  return {
    method,
    preset: preset.id,
    config: { ...preset.config, ...readSchemaFlags(schema, options) },
    training: { ...preset.training, ...trainingFlags },
    model,
    data: {
      datasetId,
      split: { seed: Number(options.splitSeed) },
      annotators: options.annotators === undefined ? [] : options.annotators.split(','),
      aggregation: options.aggregation === 'majority' ? 'majority' : 'mean',
    },
    ...(judge === undefined ? {} : { judge: rewardSource.parse(judge) }),
    engine: options.engine as 'auto', // checked by the contract
    threads: options.threads === undefined ? null : Number(options.threads),
    seeds: [...seeds],
    name: options.name ?? '',
  }
}

/** What a model is to the presets. */
async function beginning(client: Client, model: RunRequestInput['model']): Promise<PresetModel> {
  if (model.kind === 'run')
    return { kind: 'run', pretrained: (await client.call('runs.get', { runId: model.runId })).pretrained }
  if (model.kind !== 'registered') return { kind: model.kind, pretrained: false }
  const found = (await client.call('models.list', {})).find((one) => one.modelId === model.modelId)
  return { kind: 'registered', pretrained: found?.originRunId === null }
}

function methodCommand(algorithm: (typeof algorithms)[number], flags: boolean): Command {
  const words = KIND_WORDS[algorithm.data]
  const command = new Command(algorithm.id)
    .description(`${algorithm.name}: ${algorithm.summary}. ${algorithm.paper.cite}.`)
    .requiredOption('--data <data set>', 'id, beginning of the id, or name')
    .option(
      '--model <model>',
      'new:<preset> (nano, micro, mini, small, medium, large), run:<id>[@best or @<step>], or model:<id or name>; networks for small ones that the method makes for its data',
      algorithm.models[0] === 'networks' ? 'networks' : 'new:micro',
    )
    .addOption(new Option('--tokenizer <kind>', 'of a new model').choices(['bpe', 'byte']).default('bpe'))
    .option('--vocab-size <n>', 'of a new BPE tokenizer', '1024')
    .option('--untied', 'separate input and output embeddings')
    .option('--by-seed', 'with run:<id>: each seed starts from the run of its own seed, of the same configuration')
    .option('--seeds <list>', 'one run for each: 1-3, or 1,5,9', '1')
    .option(
      '--preset <id>',
      `values to start from: ${algorithm.presets.map((preset) => `${preset.id} (${preset.title})`).join(', ')}`,
    )
    .addOption(new Option('--engine <name>').choices(['auto', ...engineName.options]).default('auto'))
    .option('--threads <n>', "of the processor's engines; left out, the engine chooses")
    .option('--annotators <names>', 'only their labels, comma-separated')
    .addOption(
      new Option('--aggregation <how>', 'several labels of one pair').choices(['mean', 'majority']).default('mean'),
    )
    .option('--split-seed <n>', 'seed of the split', '0')
    .option('--name <name>')
    .option('--detach', 'return at once; runs that have started go on by themselves')
    .option('--check', 'say what would be run, and start nothing')
    .option('--estimate', 'measure a few real steps, and start nothing')
  if (!flags) return command
  const schema = z.toJSONSchema(algorithm.config, { io: 'input' })
  addSchemaFlags(command, schema, `${algorithm.name}:`)
  addSchemaFlags(
    command,
    trainingSchema,
    "Training (the defaults are those of the method's preset where it names one):",
  )
  addSchemaFlags(command, judgeSchema, 'Judge of generated samples:')
  return command.action(async (options: TrainOptions & Record<string, unknown>) => {
    const { out, dataDir } = globals(command)
    await withClient(dataDir, async ({ client }) => {
      const request = await readRequest(client, algorithm.id, schema, options)
      const check = await client.call('runs.check', { request })
      const { kind } = await pickDataset(client, options.data)
      for (const { level, text } of check.advice) out.note(`${level === 'warning' ? 'Mind' : 'Note'}: ${text}`)
      if (check.problems.length > 0)
        throw new AppError({
          code: 'spec-invalid',
          message: sayProblems(check.problems),
          hint: 'Change the named settings and try again.',
          details: { problems: check.problems },
        })
      if (options.check === true) {
        const tokens = await client.call('runs.tokens', { request })
        return out.result(
          { ...check, tokens },
          `${check.command}\n${check.counts.train} ${KIND_WORDS[kind].items} to train on, ${check.counts.validation} to validate, ${check.counts.test} to test${words.labeled ? `; ${check.counts.labels} labels` : ''}${tokens === null ? '' : `\n${describeTokens(tokens)}`}`,
        )
      }
      if (options.estimate === true) {
        const found = await client.call('runs.estimate', { request })
        for (const warning of found.warnings) out.note(`Mind: ${warning}`)
        return out.result(
          found,
          `${formatCount(found.parameterCount)} parameters; ${formatInterval(found.stepMs, found.stepSpreadMs)} ms a step at the longest batch, measured over ${found.stepsRun} steps on ${found.engine}; about ${formatDuration(found.totalMs)} for ${found.runs} ${found.runs === 1 ? 'run' : 'runs'}, ${formatBytes(found.peakBytes)} of memory, ${formatBytes(found.checkpointBytes)} a checkpoint`,
        )
      }
      const { runIds } = await client.call('runs.start', { request })
      out.say(`Started ${runIds.join(', ')}`)
      if (options.detach === true) return reportDetached(client, runIds, out)
      await followRuns(client, runIds, out)
      await report(client, runIds, out)
    })
  })
}

/** The layout, and the first rows token by token: what is given, ⟶, what is learned; tokens that are not learned in brackets. */
function describeTokens({ layout, ends, rows }: TokenPreview): string {
  const shown = (texts: readonly string[]): string => texts.map((text) => JSON.stringify(text).slice(1, -1)).join('·')
  return [
    `Text is written ${LAYOUT_WORDS[layout]}; a completion ends with ${ends.join(' or ')}`,
    ...rows.map(
      ({ pairId, prompt, completion, cut }) =>
        `${pairId}: ${shown(prompt)} ⟶ ${shown(completion.map(({ text, trained }) => (trained ? text : `[${text}]`)))}${cut ? ' … cut' : ''}`,
    ),
  ].join('\n')
}

/** @throws AppError `trainer-failed` when a run did not end as it should */
async function report(client: Client, runIds: readonly RunId[], out: Output): Promise<void> {
  const runs = await Promise.all(runIds.map((runId) => client.call('runs.get', { runId })))
  const text = runs
    .map(
      (run) =>
        `${run.runId}: ${stateWord(run)}${run.mainValue === null ? '' : `, ${mainValueText(run)}`}${run.error === null ? '' : `, ${run.error.message}`}`,
    )
    .join('\n')
  const broken = runs.find((run) => run.state === 'failed' || run.state === 'lost')
  if (broken === undefined) return out.result(runs, text)
  out.say(text)
  const message = `${broken.runId} ${broken.state === 'failed' ? 'failed' : 'was lost'}: ${broken.error?.message ?? 'its process is gone'}`
  const hint = broken.error?.hint ?? `Resume it from its last checkpoint: pairlab runs resume ${broken.runId}`
  throw new AppError({
    code: 'trainer-failed',
    message,
    hint,
    details: { runs: runs.map(({ runId, state }) => ({ runId, state })) },
  })
}

/** What goes on without us, and what waits for the next Pairlab. */
async function reportDetached(client: Client, runIds: readonly RunId[], out: Output): Promise<void> {
  const queued = (await client.call('runs.list', {})).filter(
    (run) => runIds.includes(run.runId) && run.state === 'queued',
  ).length
  out.result(
    { runIds, queued },
    queued === 0
      ? 'Follow them: pairlab runs'
      : `${queued} wait in the queue: they start while Pairlab is open or another verb waits. Settings say how many train at once.`,
  )
}

/**
 * @param isAsked of which methods the settings are wanted as flags: those of all take as long to make as the rest of the
 *   program takes to start
 */
export function trainCommand(isAsked: (method: string) => boolean = () => true): Command {
  const command = new Command('train')
    .description('Train a method on a data set, once for each seed.')
    .addHelpText(
      'after',
      '\nExamples:\n  pairlab train sft --data pandalm --model new:micro --seeds 1-3\n  pairlab train dpo --data pandalm --model run:sft-1 --beta 0.1 --steps 200\n  pairlab train dpo --data pandalm --model run:sft-1@best --by-seed --seeds 1-3\n  pairlab train copg --help',
    )
  for (const algorithm of algorithms) command.addCommand(methodCommand(algorithm, isAsked(algorithm.id)))
  return command
}
