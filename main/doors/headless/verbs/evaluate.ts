import { existsSync, mkdirSync } from 'node:fs'
import path from 'node:path'
import { Command, Option } from 'commander'
import { engineName, type EngineName } from '../../../../shared/domain.ts'
import { AppError } from '../../../../shared/errors.ts'
import { parseModelReference } from '../../../../shared/model-reference.ts'
import { replaceFile } from '../../../base/files/durable.ts'
import { tasksIn } from '../../../core/benchmarks/places.ts'
import { askWorker } from '../../../base/processes/ask-worker.ts'
import type { AnswerOf, QuestionOf } from '../../../base/processes/worker-questions.ts'
import { APP_VERSION } from '../../../app/app.ts'
import { withClient, type Connection } from '../connect.ts'
import { globals } from '../globals.ts'
import { formatTable } from '../output.ts'
import { workerFor } from '../worker.ts'
import { pickModel } from './models.ts'
import { pickRun } from './runs.ts'

type Model = QuestionOf<'benchmark'>['model']
type Found = AnswerOf<'benchmark'>['found']

interface EvaluateFlags {
  readonly on: string
  readonly out?: string
  readonly prompt?: string
  readonly engine: EngineName
}

/** A reward model's run is scored by its rewards; everything else by its vectors. */
async function modelOf({ client }: Connection, wanted: string, prompt: string | null): Promise<Model> {
  const named = parseModelReference(wanted)
  if (named?.kind === 'model') return { kind: 'embedder', path: (await pickModel(client, named.model)).path, prompt }
  if (/[/\\.]/.test(wanted) && existsSync(wanted)) return { kind: 'embedder', path: path.resolve(wanted), prompt }
  const [, name = '', which = 'best'] = /^(?:run:)?(.*?)(?:@(best|last))?$/s.exec(wanted) ?? []
  const run = await pickRun(client, name)
  const detail = await client.call('runs.get', { runId: run.runId })
  const best = detail.chosen?.step ?? null
  const checkpoint =
    (which === 'best' ? detail.checkpoints.find(({ step }) => step === best) : undefined) ?? detail.checkpoints.at(-1)
  if (checkpoint === undefined)
    throw new AppError({
      code: 'spec-invalid',
      message: `The run "${run.name}" has no checkpoint to evaluate.`,
      hint: 'Wait until it has one, or choose another run.',
    })
  const { path: folder } = checkpoint
  if (run.method === 'reward-model')
    return { kind: 'reward-model', path: folder, maxLength: detail.spec.training.maxLength }
  return { kind: 'embedder', path: folder, prompt }
}

interface Evaluated {
  readonly name: string
  readonly device: string
  readonly found: Found
}

/** As MTEB writes a task's result; null for rewards. */
function mtebJson({ name, found }: Evaluated): unknown {
  if (found.kind !== 'vectors') return null
  const scores = Map.groupBy(found.tasks, ({ split }) => split)
  return {
    dataset_revision: null,
    task_name: name,
    mteb_version: `pairlab ${APP_VERSION}`,
    scores: Object.fromEntries(
      [...scores].map(([split, tasks]) => [
        split,
        tasks.map((task) => ({ ...task.scores, hf_subset: 'default', languages: [] })),
      ]),
    ),
    evaluation_time: found.tasks.reduce((sum, { seconds }) => sum + seconds, 0),
    kg_co2_emissions: null,
  }
}

function textOf({ name, found }: Evaluated): string {
  if (found.kind === 'vectors')
    return found.tasks
      .map(({ type, split, texts, cutCount, scores }) =>
        [
          `${name}: ${type}, ${split}, ${texts} texts${cutCount > 0 ? `, ${cutCount} of them cut` : ''}`,
          ...Object.entries(scores).map(([metric, value]) => `  ${metric}: ${value.toFixed(6)}`),
        ].join('\n'),
      )
      .join('\n')
  const table = formatTable(
    [
      { title: 'subset', text: (one) => one.subset },
      { title: 'prompts', right: true, text: (one) => String(one.items) },
      { title: 'score', right: true, text: (one) => one.score.toFixed(3) },
      {
        title: '95 %',
        text: ({ low, high, parts }) =>
          low !== null && high !== null
            ? `[${low.toFixed(3)}, ${high.toFixed(3)}]`
            : Object.entries(parts ?? {})
                .map(([part, value]) => `${part} ${value.toFixed(3)}`)
                .join(', '),
      },
    ],
    found.subsets,
  )
  return `${table}\n\nMean of the subsets: ${found.mean.toFixed(3)}`
}

export function evaluateCommand(): Command {
  return new Command('evaluate')
    .description(
      'Measure a model on a published benchmark’s own files: a reward model on RewardBench (both versions, with their scoring), an embedder on tasks in MTEB’s layout (STS, pairs, retrieval, reranking, clustering).',
    )
    .argument('<model>', 'a run (its chosen checkpoint, or run@last), model:<id or name>, or a folder')
    .requiredOption('--on <place>', 'folder or file of the benchmark, or a folder of such folders')
    .option('--out <place>', 'JSON: of one task a file; of embedding tasks a folder, in MTEB’s form')
    .option('--prompt <name>', 'one of the model’s prompts, put before every text')
    .addOption(new Option('--engine <name>').choices(engineName.options).default('wasm'))
    .addHelpText(
      'after',
      '\nExamples:\n  pairlab evaluate reward-1 --on ./reward-bench-2\n  pairlab evaluate model:minilm --on ./mteb/stsbenchmark-sts --out results',
    )
    .action(async (wanted: string, flags: EvaluateFlags, command: Command) => {
      const { out, dataDir } = globals(command)
      const { model, cacheFolder } = await withClient(dataDir, async (connection) => ({
        model: await modelOf(connection, wanted, flags.prompt ?? null),
        cacheFolder: path.join(connection.dataFolder, 'cache'),
      }))
      const { worker, enginesFolder } = workerFor(dataDir)
      const tasks = tasksIn(flags.on)
      const done: Evaluated[] = []
      const failed: AppError[] = []
      for (const { name, place } of tasks) {
        try {
          const { device, found } = await askWorker(
            worker,
            'benchmark',
            { model, place: path.resolve(place), cacheFolder, engine: flags.engine, enginesFolder },
            { onNote: (text) => out.note(`${name}: ${text}`) },
          )
          const one = { name, device, found }
          done.push(one)
          out.say(`${textOf(one)}\n`)
          if (flags.out !== undefined) keep(flags.out, one)
        } catch (error) {
          // One folder that is none of these keeps nobody from the others.
          if (!(error instanceof AppError) || tasks.length === 1) throw error
          failed.push(error)
          out.note(`${name}: ${error.message} ${error.hint}`)
        }
      }
      if (done.length === 0 && failed[0] !== undefined) throw failed[0]
      out.result(done.map((one) => mtebJson(one) ?? one))
    })
}

function keep(place: string, one: Evaluated): void {
  const mteb = mtebJson(one)
  const file = mteb === null || /\.json$/i.test(place) ? place : path.join(place, `${one.name}.json`)
  mkdirSync(path.dirname(path.resolve(file)), { recursive: true })
  replaceFile(file, `${JSON.stringify(mteb ?? one, null, 2)}\n`)
}
