import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { AppError } from '../../../../shared/errors.ts'
import { mainMetricOn } from '../../../core/learn/define.ts'
import { sizeOfShape } from '../../../core/learn/models/parameters.ts'
import { createOptimizer, learningRateAt, readGlobalNorm } from '../../../core/learn/optimizer.ts'
import { createRandom, type Random } from '../../../core/learn/random.ts'
import type { RankingAlgorithm } from '../../../core/learn/ranking/ranking.ts'
import { findRankingAlgorithm } from '../../../core/learn/registry.ts'
import { tf } from '../../../core/learn/tf.ts'
import { openModelFiles, type Checkpoint, type ModelFiles } from '../../../core/models/checkpoint-files.ts'
import type { Course, Evaluation, Extent } from '../course.ts'
import { choiceOf, heldOutOf, measureHeldOut, NOTHING } from '../held-out.ts'
import type { Update } from '../minimize.ts'
import { evaluateRanker, samplesOf, trecRunOf, type RankedQuery } from './ranking-evaluation.ts'
import { readRankingData, type RankingQuery } from './ranking-data.ts'
import { openFirstStage } from './first-stage.ts'
import { openFeatureScorer, rankerConfig, type Picked, type RankingScorer } from './ranking-scorer.ts'
import { gradientsOf } from './ranking-gradients.ts'
import { openTextScorer } from './ranking-text-scorer.ts'
import { createRankerSaver } from './save-ranker.ts'
import type { RunContext } from '../run-context.ts'
import { openPlan } from '../open-plan.ts'
import { parseConfig } from '../parse-config.ts'

/** What every ranking method's own settings hold. */
interface Settings {
  readonly candidates: number
  readonly cutoff: number
  readonly temperature: number
  readonly hidden: number
  readonly scorer: 'bi-encoder' | 'cross-encoder'
  readonly similarity: 'cosine' | 'dot'
}

/** Rankers on judged lists of documents. */
export async function openRankingCourse(context: RunContext, from: Checkpoint | null): Promise<Course> {
  const { spec, folder } = context
  const { training, seed } = spec
  context.phase('loading')
  const page = findRankingAlgorithm(spec.method)
  const config = parseConfig(page, spec.config)
  const settings = config as Settings // every ranking method has these fields
  const algorithm = { ...page, mainMetric: mainMetricOn(page, page.data, config, training) }
  const data = await readRankingData(spec.data.viewPath, spec.data.viewHash, settings.candidates)
  await context.breatheOrStop()
  const start = await openStart(context, from)
  const onFeatures = spec.model.kind === 'networks' || rankerConfig.safeParse(start?.config).success
  const scorer =
    page.learns === false
      ? openFirstStage()
      : onFeatures
        ? await openFeatureScorer(data, {
            hidden: settings.hidden,
            temperature: settings.temperature,
            seed,
            from: start?.config ?? null,
            pause: () => context.breatheOrStop(),
          })
        : await openTextScorer(context, data, settings)
  // Of another run's checkpoint a text scorer has read the network already; its head, if it has one, is new.
  if (start !== null && (from !== null || onFeatures)) scorer.load(from?.adapters ?? start.source)
  if (from === null) start?.close()
  const optimizer = createOptimizer(training, scorer.variables)
  if (from !== null) optimizer.fromTensors(from.optimizer)
  const usable = data.queries.train.filter(({ list }) => list.relevance.some((grade) => grade > 0))
  if (usable.length === 0)
    throw new AppError({
      code: 'dataset-invalid',
      message: 'No training query has a relevant document among its candidates.',
      hint: 'Raise the number of candidates, or look at the judgments.',
    })
  const plan = openPlan(
    usable.map(({ list }) => list.documents.length),
    { training, seed },
    from,
    algorithm.acrossLists(config),
  )
  const heldOut = heldOutOf(data.queries.validation, data.queries.test, data.queries.validation.length === 0)
  report(context, algorithm, scorer, {
    train: usable.length,
    skipped: data.queries.train.length - usable.length,
    recall: data.candidateRecall,
    data,
  })

  async function evaluate(_step: number, extent: Extent): Promise<Evaluation> {
    let shown: readonly RankedQuery[] = []
    const { metrics, items } = await measureHeldOut(heldOut, extent, async (side, prefix, part) => {
      if (prefix === 'test' && side.length === 0) return NOTHING
      const { metrics, items, ranked } = await evaluateRanker(
        scorer,
        part ? side.slice(0, training.evalPairs) : side,
        settings.cutoff,
        context.progress,
      )
      if (!part)
        keep(folder, extent === 'test' ? 'best-test' : prefix === 'test' ? 'test' : 'validation', ranked, spec.runId)
      if (prefix === 'eval') shown = ranked
      return { metrics: named(prefix, metrics), items }
    })
    return {
      metrics,
      items,
      samples:
        training.samplePrompts === 0 || extent === 'choice' || extent === 'test'
          ? null
          : samplesOf(shown.slice(0, training.samplePrompts), data.documents),
    }
  }

  return {
    algorithm,
    plan,
    rateName: 'lists_per_sec',
    parameterCount: scorer.parameterCount,
    ...(scorer.weightBytes === undefined ? {} : { weightBytes: scorer.weightBytes }),
    optimizerCount: Object.values(optimizer.shapes).reduce((sum, shape) => sum + sizeOfShape(shape), 0),
    heaviest: [...usable.keys()]
      .sort((a, b) => usable[b]!.list.documents.length - usable[a]!.list.documents.length)
      .slice(0, training.batchSize),
    async update(items, step) {
      const random = createRandom(seed).fork('rankings').fork(String(step))
      const picked = pickLists(
        algorithm,
        config,
        items.map((at) => usable[at]!),
        random,
      )
      const { gradients, metrics } = await gradientsOf(
        algorithm,
        config,
        scorer,
        picked,
        training.microBatchSize,
        random,
      )
      const learningRate = learningRateAt(optimizer.step, training)
      const gradNorm = await readGlobalNorm(Object.values(gradients))
      if (Number.isFinite(gradNorm)) optimizer.apply(gradients, learningRate, gradNorm)
      tf.dispose(gradients)
      return { metrics, gradNorm, learningRate } satisfies Update
    },
    work: (items) => items.length,
    evaluate,
    choiceBy: () => choiceOf(heldOut, data.queries.validation.length, training.evalPairs),
    restore: (checkpoint) => scorer.load(checkpoint.adapters ?? checkpoint.source),
    save: createRankerSaver(folder, scorer, optimizer, from?.state.base ?? null),
  }
}

/** What the weights begin as: the checkpoint to resume from, another run's, or nothing. */
async function openStart(
  { spec: { model } }: RunContext,
  from: Checkpoint | null,
): Promise<Pick<ModelFiles, 'config' | 'source' | 'close'> | null> {
  if (from !== null) return from
  if (model.kind !== 'run') return null // a text scorer opens registered models itself
  const files = await openModelFiles(model.path)
  if (files.hash !== model.hash)
    throw new AppError({
      code: 'spec-invalid',
      message: `The checkpoint ${model.path} was changed after this run was made.`,
      hint: 'Start the run again from its request.',
    })
  return files
}

function report(
  context: RunContext,
  { name, mainMetric }: RankingAlgorithm,
  scorer: RankingScorer,
  found: {
    readonly train: number
    readonly skipped: number
    readonly recall: number
    readonly data: Awaited<ReturnType<typeof readRankingData>>
  },
): void {
  const { validation, test } = found.data.queries
  context.emit({
    type: 'fact',
    facts: {
      methodName: name,
      pretrained: context.spec.pretrained,
      mainMetric,
      parameterCount: scorer.parameterCount,
      trainItems: found.train,
      validationPairs: validation.length,
      testPairs: test.length,
      documents: found.data.documents.length,
      candidateRecall: found.recall,
    },
  })
  if (found.skipped > 0)
    context.warn(
      `${found.skipped} training queries have no relevant document among their candidates and are left out.`,
      'Raise the number of candidates to reach them.',
    )
}

/** The lists of one update; queries from which the method picks nothing are left out. */
function pickLists(
  algorithm: RankingAlgorithm,
  config: unknown,
  queries: readonly RankingQuery[],
  random: Random,
): Picked[] {
  return queries.flatMap((query, at) => {
    const positions = algorithm.pick(query.list, config, random.fork(`pick ${at}`))
    return positions.length === 0 ? [] : [{ query, positions }]
  })
}

function named(prefix: string, metrics: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(metrics).map(([name, value]) => [`${prefix}/${name}`, value]))
}

/** A whole side's order as a TREC run, and its measures by query, beside the checkpoints. */
function keep(runFolder: string, side: string, ranked: readonly RankedQuery[], tag: string): void {
  const folder = path.join(runFolder, 'rankings')
  mkdirSync(folder, { recursive: true })
  writeFileSync(path.join(folder, `${side}.run`), [...trecRunOf(ranked, tag)].join(''))
  writeFileSync(
    path.join(folder, `${side}-queries.json`),
    `${JSON.stringify(
      ranked.map(({ query, measures }) => ({ queryId: query.queryId, ...measures })),
      null,
      1,
    )}\n`,
  )
}
