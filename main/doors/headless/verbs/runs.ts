import { stateWord } from '../../../../shared/state-words.ts'
import { Command, Option } from 'commander'
import type { ExportForm, RunDetail, RunSummary } from '../../../../shared/contract/runs.ts'
import type { Client } from '../../../../shared/rpc.ts'
import { formatBytes, formatDuration, formatNumber } from '../../../../shared/units.ts'
import { calibrationText, ensembleText } from './calibration-text.ts'
import { pick, withClient } from '../connect.ts'
import { globals } from '../globals.ts'
import { formatTable } from '../output.ts'
import { followRuns } from '../progress.ts'
import { resolveGiven } from '../../../base/files/given-path.ts'

/** By its id, by how lists call it (`name s1`), or as ids are made where a name's letters fit none: a run named чат has the id run-1, and is found as чат-1. */
export async function pickRun(client: Client, wanted: string): Promise<RunSummary> {
  const runs = await client.call('runs.list', {})
  const named = runs.filter((run) => `${run.name}-${run.seed}` === wanted)
  if (named.length === 1 && runs.every((run) => run.runId !== wanted)) return named[0]!
  return pick(
    runs,
    wanted,
    'run',
    (run) => run.runId,
    (run) => `${run.name} s${run.seed}`,
  )
}

function listCommand(): Command {
  return new Command('list')
    .description('Every run, newest first.')
    .action(async (_options: unknown, command: Command) => {
      const { out, dataDir } = globals(command)
      await withClient(dataDir, async ({ client }) => {
        const runs = await client.call('runs.list', {})
        const table = formatTable(
          [
            { title: 'id', text: (run: RunSummary) => run.runId },
            { title: 'status', text: (run) => stateWord(run) },
            { title: 'method', text: (run) => run.method },
            { title: 'data set', text: (run) => run.datasetName },
            { title: 'step', right: true, text: (run) => `${run.step}/${run.totalSteps}` },
            {
              title: 'last value',
              right: true,
              text: (run) => (run.mainValue === null ? '–' : formatNumber(run.mainValue)),
            },
            {
              title: 'best',
              right: true,
              text: (run) => (run.best === null ? '–' : `${formatNumber(run.best.value)} at ${run.best.step}`),
            },
            { title: 'took', right: true, text: (run) => formatDuration(run.trainedMs) },
            { title: 'disk', right: true, text: (run) => formatBytes(run.diskBytes) },
          ],
          runs,
        )
        out.result(runs, runs.length === 0 ? 'No run yet. Try: pairlab train sft --data <data set>' : table)
      })
    })
}

/** A verb on one run. */
function onRun(
  name: string,
  description: string,
  act: (client: Client, run: RunSummary) => Promise<{ readonly value: unknown; readonly text: string }>,
): Command {
  return new Command(name)
    .description(description)
    .argument('<run>')
    .action(async (wanted: string, _options: unknown, command: Command) => {
      const { out, dataDir } = globals(command)
      await withClient(dataDir, async ({ client }) => {
        const { value, text } = await act(client, await pickRun(client, wanted))
        out.result(value, text)
      })
    })
}

export function runsCommand(): Command {
  return new Command('runs')
    .description('List, show, stop, resume and delete runs.')
    .addCommand(listCommand(), { isDefault: true })
    .addCommand(
      onRun('show', 'Everything about one run.', async (client, run) => {
        const detail = await client.call('runs.get', { runId: run.runId })
        const numbers = (values: RunDetail['summary']): string[] =>
          Object.entries(values).map(([name, value]) => `  ${name}: ${formatNumber(value)}`)
        const { chosen } = detail
        const warnings = detail.warnings.map((warning) => `Mind: ${warning.message} ${warning.hint}`)
        return {
          value: detail,
          text: [
            `${detail.name} s${detail.seed}: ${stateWord(detail)}, step ${detail.step} of ${detail.totalSteps}, ${detail.engine}`,
            `Folder: ${detail.folder}`,
            `Again: ${detail.command}`,
            ...(detail.error === null ? [] : [`${detail.error.message} ${detail.error.hint}`]),
            ...warnings,
            ...(chosen === null
              ? []
              : [
                  `Best checkpoint: step ${chosen.step}${chosen.step === 0 ? ', the weights that training began with' : ''}${chosen.by === null ? '' : `, by ${chosen.by}`}`,
                  ...numbers(chosen.values),
                ]),
            ...(Object.keys(detail.summary).length === 0 ? [] : ['Last step:', ...numbers(detail.summary)]),
          ].join('\n'),
        }
      }),
    )
    .addCommand(
      onRun('log', 'The last lines of its log.', async (client, run) => {
        const lines = await client.call('runs.log', { runId: run.runId })
        return { value: lines, text: lines.join('\n') }
      }),
    )
    .addCommand(
      onRun(
        'calibration',
        'Of a reward model: whether “80 %” is right in eight of ten held-out pairs, and its accuracy by margin and by length.',
        async (client, run) => {
          const found = await client.call('runs.calibration', { runIds: [run.runId] })
          return { value: found, text: calibrationText(found.models[0]!) } // of one run
        },
      ),
    )
    .addCommand(
      new Command('ensemble')
        .description(
          'Several reward models together on the held-out pairs: accuracy of their mean, and where they disagree.',
        )
        .argument('<run...>')
        .action(async (wanted: string[], _options: unknown, command: Command) => {
          const { out, dataDir } = globals(command)
          await withClient(dataDir, async ({ client }) => {
            const runIds = await Promise.all(wanted.map(async (one) => (await pickRun(client, one)).runId))
            const found = await client.call('runs.calibration', { runIds })
            out.result(found, ensembleText(found))
          })
        }),
    )
    .addCommand(
      onRun('samples', 'What it generated for its held-out prompts, latest first.', async (client, run) => {
        const steps = (await client.call('runs.samples', { runId: run.runId })).toReversed()
        const shown = steps
          .slice(0, 1)
          .flatMap(({ step, items }) =>
            items.map(
              (item) =>
                `── step ${step}, prompt ${item.promptIndex + 1}${item.reward === null ? '' : `, reward ${formatNumber(item.reward)}`} ──\n${item.prompt}\n→ ${item.completion}\n`,
            ),
          )
        return {
          value: steps,
          text: shown.length === 0 ? 'No sample yet: they are made at each evaluation.' : shown.join('\n'),
        }
      }),
    )
    .addCommand(
      onRun('stop', 'Stop at once.', async (client, { runId }) => ({
        value: await client.call('runs.stop', { runId, mode: 'stop' }),
        text: `${runId} is stopping.`,
      })),
    )
    .addCommand(
      onRun('stop-and-save', 'Save a checkpoint, evaluate, stop.', async (client, { runId }) => ({
        value: await client.call('runs.stop', { runId, mode: 'stop-and-save' }),
        text: `${runId} is saving and stopping.`,
      })),
    )
    .addCommand(
      onRun('checkpoint', 'Save a checkpoint and go on.', async (client, { runId }) => ({
        value: await client.call('runs.checkpoint', { runId }),
        text: `${runId} is saving.`,
      })),
    )
    .addCommand(
      onRun('delete', 'Move its folder to the trash.', async (client, { runId }) => ({
        value: await client.call('runs.delete', { runId }),
        text: `${runId} is in the trash.`,
      })),
    )
    .addCommand(
      new Command('export')
        .description(
          'Write a checkpoint as other programs open it: a folder of safetensors, tokenizer and model card, or a GGUF file.',
        )
        .argument('<run>')
        .requiredOption('--to <folder>', 'a folder that does not exist yet')
        .option('--best', 'the best checkpoint in place of the last')
        .option('--adapters', "only the LoRA adapters, in PEFT's layout")
        .option('--embedder', "as an embedder, in sentence-transformers' layout: what rankers are written as anyway")
        .addOption(
          new Option('--gguf <type>', 'as one GGUF file, for llama.cpp, LM Studio or Ollama').choices(['q8_0', 'f16']),
        )
        .action(async (wanted: string, options: ExportFlags, command: Command) => {
          const { out, dataDir } = globals(command)
          await withClient(dataDir, async ({ client }) => {
            const { runId } = await pickRun(client, wanted)
            const value = await client.call('runs.export', {
              runId,
              checkpoint: options.best === true ? 'best' : 'last',
              path: resolveGiven(options.to),
              form: formOf(options),
            })
            out.result(value, `${value.path}: step ${value.step}; ${value.files.join(', ')}`)
          })
        }),
    )
    .addCommand(
      new Command('resume')
        .description('Go on from the last checkpoint, exactly as if it had never stopped.')
        .argument('<run>')
        .option('--detach', 'return at once')
        .action(async (wanted: string, options: { detach?: boolean }, command: Command) => {
          const { out, dataDir } = globals(command)
          await withClient(dataDir, async ({ client }) => {
            const { runId } = await pickRun(client, wanted)
            await client.call('runs.resume', { runId })
            const [run] =
              options.detach === true ? [await pickRun(client, runId)] : await followRuns(client, [runId], out)
            out.result(run, `${runId}: ${run === undefined ? 'unknown' : stateWord(run)}`)
          })
        }),
    )
}

interface ExportFlags {
  readonly to: string
  readonly best?: boolean
  readonly adapters?: boolean
  readonly embedder?: boolean
  readonly gguf?: 'q8_0' | 'f16'
}

/** Undefined: the run's usual one. */
function formOf({ adapters, embedder, gguf }: ExportFlags): ExportForm | undefined {
  if (gguf !== undefined) return `gguf-${gguf}`
  return adapters === true ? 'adapters' : embedder === true ? 'embedder' : undefined
}
