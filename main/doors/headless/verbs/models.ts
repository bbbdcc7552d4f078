import { randomUUID } from 'node:crypto'
import { Command, Option } from 'commander'
import type { ModelJob, ModelSummary } from '../../../../shared/contract/models.ts'
import type { JobId } from '../../../../shared/domain.ts'
import { AppError } from '../../../../shared/errors.ts'
import type { Client } from '../../../../shared/rpc.ts'
import { formatBytes, formatCount } from '../../../../shared/units.ts'
import { nullIfUnknown, pick, withClient } from '../connect.ts'
import { globals } from '../globals.ts'
import { formatTable } from '../output.ts'
import { pickRun } from './runs.ts'
import { resolveGiven } from '../../../base/files/given-path.ts'

export async function pickModel(client: Client, wanted: string): Promise<ModelSummary> {
  return pick(
    await client.call('models.list', {}),
    wanted,
    'model',
    (one) => one.modelId,
    (one) => one.name,
  )
}

/** Begins an addition and waits for it, telling how far it is. One that went with the process it ran in begins again. */
async function followAddition(
  client: Client,
  begin: () => Promise<{ readonly jobId: JobId }>,
  tell: (text: string) => void,
): Promise<ModelJob> {
  let { jobId } = await begin()
  let toldMs = Date.now()
  for (;;) {
    const job = await nullIfUnknown(client.call('models.addJob', { jobId }))
    if (job === null) {
      jobId = (await begin()).jobId
      continue
    }
    if (job.state === 'finished') return job
    if (job.state === 'failed')
      throw new AppError({
        code: 'model-unsupported',
        message: job.error?.message ?? 'The model could not be added.',
        hint: job.error?.hint ?? 'Look at the folder again.',
      })
    if (job.state === 'cancelled')
      throw new AppError({
        code: 'cancelled',
        message: 'The addition was cancelled; nothing was kept.',
        hint: 'Start it again when you like.',
      })
    if (Date.now() - toldMs > 2000) {
      toldMs = Date.now()
      tell(`${job.phase}: ${formatBytes(job.bytesDone)} of ${formatBytes(job.totalBytes)}`)
    }
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

function listCommand(): Command {
  return new Command('list')
    .description('Every model, newest first.')
    .action(async (_options: unknown, command: Command) => {
      const { out, dataDir } = globals(command)
      await withClient(dataDir, async ({ client }) => {
        const models = await client.call('models.list', {})
        const table = formatTable(
          [
            { title: 'id', text: (one: ModelSummary) => one.modelId },
            { title: 'name', text: (one) => one.name },
            { title: 'family', text: (one) => one.family },
            { title: 'weights', right: true, text: (one) => formatCount(one.parameterCount) },
            { title: 'stored', text: (one) => `${one.dtype}, ${formatBytes(one.sizeBytes)}` },
            { title: 'place', text: (one) => one.place },
            { title: 'state', text: (one) => one.state },
            { title: 'path', text: (one) => one.path },
          ],
          models,
        )
        out.result(
          models,
          models.length === 0 ? 'No model yet. Try: pairlab models add <folder of a Hugging Face model>' : table,
        )
      })
    })
}

interface AddFlags {
  readonly copy?: boolean
  readonly name?: string
  readonly run?: string
  readonly checkpoint: 'best' | 'last'
}

function addCommand(): Command {
  return new Command('add')
    .description(
      'Add a model: a folder in the layout of the Hugging Face libraries, a .gguf file (also inside a .zip or .whl), or a run’s checkpoint.',
    )
    .argument('[folder]', 'folder or file')
    .option('--copy', 'copy the files into the data folder; without it they stay where they are')
    .option('--name <name>')
    .option('--run <run>', 'in place of a folder: the checkpoint of this run')
    .addOption(new Option('--checkpoint <which>').choices(['best', 'last']).default('last'))
    .action(async (folder: string | undefined, flags: AddFlags, command: Command) => {
      const { out, dataDir } = globals(command)
      if ((folder === undefined) === (flags.run === undefined))
        throw new AppError({
          code: 'usage-invalid',
          message: 'Give a folder or a file, or --run with a run.',
          hint: 'For example: pairlab models add ./SmolLM-135M or pairlab models add ./SmolLM2-135M-Instruct.Q4_1.gguf',
        })
      await withClient(dataDir, async ({ client }) => {
        const source =
          folder === undefined
            ? { kind: 'run' as const, runId: (await pickRun(client, flags.run!)).runId, checkpoint: flags.checkpoint }
            : {
                kind: 'folder' as const,
                path: resolveGiven(folder),
                place: flags.copy === true ? ('copy' as const) : ('link' as const),
              }
        if (source.kind === 'folder') {
          const { problems, notes } = await client.call('models.inspect', { path: source.path })
          if (problems[0] !== undefined) throw new AppError({ code: 'model-unsupported', ...problems[0] })
          for (const note of notes) out.note(`Note: ${note}`)
        }
        const clientKey = randomUUID()
        const { modelId } = await followAddition(
          client,
          () => client.call('models.add', { source, name: flags.name ?? '', clientKey }),
          (text) => out.say(text),
        )
        const model = await client.call('models.get', { modelId: modelId! })
        out.result(
          model,
          `Added ${model.modelId} "${model.name}": ${model.family}, ${formatCount(model.parameterCount)} weights, ${formatBytes(model.sizeBytes)} as ${model.dtype}, sha256 ${model.hash.slice(0, 16)}…`,
        )
      })
    })
}

/** A verb on one model. */
function onModel(
  name: string,
  description: string,
  act: (client: Client, model: ModelSummary) => Promise<{ readonly value: unknown; readonly text: string }>,
): Command {
  return new Command(name)
    .description(description)
    .argument('<model>')
    .action(async (wanted: string, _options: unknown, command: Command) => {
      const { out, dataDir } = globals(command)
      await withClient(dataDir, async ({ client }) => {
        const { value, text } = await act(client, await pickModel(client, wanted))
        out.result(value, text)
      })
    })
}

export function modelsCommand(): Command {
  return new Command('models')
    .description('Models that runs can start from: list, add, show, verify, rename, remove.')
    .addCommand(listCommand(), { isDefault: true })
    .addCommand(addCommand())
    .addCommand(
      onModel('show', 'Everything about one model.', async (client, { modelId }) => {
        const model = await client.call('models.get', { modelId })
        const lines = [
          `${model.name}: ${model.family} ${model.kind}, ${formatCount(model.parameterCount)} weights in ${model.tensors.length} tensors, ${formatBytes(model.sizeBytes)} as ${model.dtype}`,
          `Folder: ${model.path} (${model.place})`,
          `sha256: ${model.hash}`,
          `Vocabulary ${model.vocabSize}, context ${model.contextLength ?? 'not said'}, tokenizer ${model.tokenizer?.type ?? 'none'}, chat template ${model.hasChatTemplate ? 'yes' : 'no'}`,
          `Licence: ${model.licence?.name ?? 'no file'}`,
          ...(model.unused.length === 0 ? [] : [`Not used: ${model.unused.join(', ')}`]),
          ...(model.trouble === null ? [] : [`${model.trouble.message} ${model.trouble.hint}`]),
        ]
        return { value: model, text: lines.join('\n') }
      }),
    )
    .addCommand(
      onModel('verify', 'Read every byte and compare with what was added.', async (client, { modelId, name }) => {
        const value = await client.call('models.verify', { modelId })
        if (!value.ok)
          throw new AppError({
            code: 'model-unsupported',
            message: `The files of "${name}" are not those that were added: sha256 ${value.found}, not ${value.expected}.`,
            hint: 'Put the files back, or add the model again.',
          })
        return { value, text: `The files of "${name}" are those that were added.` }
      }),
    )
    .addCommand(
      onModel('remove', 'Forget a link; move a copy to the trash.', async (client, { modelId, name }) => ({
        value: await client.call('models.delete', { modelId }),
        text: `"${name}" is removed.`,
      })),
    )
    .addCommand(
      new Command('rename')
        .description('Give it another name.')
        .argument('<model>')
        .argument('<name>')
        .action(async (wanted: string, name: string, _options: unknown, command: Command) => {
          const { out, dataDir } = globals(command)
          await withClient(dataDir, async ({ client }) => {
            const { modelId } = await pickModel(client, wanted)
            out.result(await client.call('models.rename', { modelId, name }), `${modelId} is called "${name}".`)
          })
        }),
    )
}
