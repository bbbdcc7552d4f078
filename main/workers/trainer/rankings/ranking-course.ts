import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { AppError, describeIssues } from '../../../../shared/errors.ts'
import { sizeOfShape } from '../../../core/learn/models/parameters.ts'
import { createOptimizer, learningRateAt, readGlobalNorm } from '../../../core/learn/optimizer.ts'
import { createRandom, type Random } from '../../../core/learn/random.ts'
import { sublist, type RankingAlgorithm, type RankingBatch } from '../../../core/learn/ranking/ranking.ts'
import { findRankingAlgorithm } from '../../../core/learn/registry.ts'
import type { RankingScores } from '../../../core/learn/ranking/ranking.ts'
import { stagedGradients, stagedVectors } from '../../../core/learn/models/pieces.ts'
import { variableGradients } from '../../../core/learn/gradients.ts'
import { tf } from '../../../core/learn/tf.ts'
import { openModelFiles, type Checkpoint, type ModelFiles } from '../../../core/models/checkpoint-files.ts'
import type { TensorToWrite } from '../../../core/models/write.ts'
import { saveCheckpoint } from '../checkpoint.ts'
import type { Course, Evaluation, Extent } from '../course.ts'
import { heldOutOf, measureHeldOut } from '../held-out.ts'
import type { Update } from '../minimize.ts'
import { evaluateRanker, samplesOf, trecRunOf, type RankedQuery } from './ranking-evaluation.ts'
import { readRankingData, type RankingQuery } from './ranking-data.ts'
import { openFeatureScorer, rankerConfig, type Picked, type RankingScorer } from './ranking-scorer.ts'
import { openTextScorer } from './ranking-text-scorer.ts'
import type { RunContext } from '../run-context.ts'
import { openPlan } from '../open-plan.ts'

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
  const algorithm = findRankingAlgorithm(spec.method)
  const parsed = algorithm.config.safeParse(spec.config)
  if (!parsed.success)
    throw new AppError({
      code: 'spec-invalid',
      message: `${algorithm.name}: ${describeIssues(parsed.error)}`,
      hint: 'Start the run again from its request.',
    })
  const settings = parsed.data as Settings // every ranking method has these fields
  const data = await readRankingData(spec.data.viewPath, spec.data.viewHash, settings.candidates)
  await context.breatheOrStop()
  const start = await openStart(context, from)
  const onFeatures = spec.model.kind === 'networks' || rankerConfig.safeParse(start?.config).success
  const scorer = onFeatures
    ? await openFeatureScorer(data, {
        hidden: settings.hidden,
        temperature: settings.temperature,
        seed,
        from: start?.config ?? null,
        pause: () => context.breatheOrStop(),
      })
    : openTextScorer(context, data, settings)
  // Of another run's checkpoint a text scorer has read the network already; its head, if it has one, is new.
  if (start !== null && (from !== null || onFeatures)) scorer.load(start.source)
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
    const metrics = await measureHeldOut(heldOut, extent, async (side, prefix, part) => {
      if (prefix === 'test' && side.length === 0) return {}
      const { metrics, ranked } = await evaluateRanker(
        scorer,
        part ? side.slice(0, training.evalPairs) : side,
        settings.cutoff,
      )
      keep(folder, side === data.queries.test ? 'test' : 'validation', extent, ranked, spec.runId)
      if (prefix === 'eval') shown = ranked
      return named(prefix, metrics)
    })
    return {
      metrics,
      samples: training.samplePrompts === 0 ? null : samplesOf(shown.slice(0, training.samplePrompts), data.documents),
    }
  }

  return {
    algorithm,
    plan,
    rateName: 'lists_per_sec',
    parameterCount: scorer.parameterCount,
    optimizerCount: Object.values(optimizer.shapes).reduce((sum, shape) => sum + sizeOfShape(shape), 0),
    heaviest: [...usable.keys()]
      .sort((a, b) => usable[b]!.list.documents.length - usable[a]!.list.documents.length)
      .slice(0, training.batchSize),
    async update(items, step) {
      const random = createRandom(seed).fork('rankings').fork(String(step))
      const picked = pickLists(
        algorithm,
        parsed.data,
        items.map((at) => usable[at]!),
        random,
      )
      const { gradients, metrics } = await gradientsOf(
        algorithm,
        parsed.data,
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
    save: (position) =>
      saveCheckpoint(folder, {
        ...scorer.files,
        adapter: null,
        weights: Object.fromEntries(
          Object.entries(scorer.shapes).map(([name, shape]): [string, TensorToWrite] => [
            name,
            { shape, read: async () => (await scorer.read(name)).data },
          ]),
        ),
        optimizer: Object.fromEntries(
          Object.entries(optimizer.shapes).map(([name, shape]): [string, TensorToWrite] => [
            name,
            { shape, read: () => optimizer.read(name) },
          ]),
        ),
        state: { ...position, base: null },
      }),
  }
}

/** A query's own copy is as relevant as can be: another query's list may bring it, and it must be nobody's negative. */
function gradeFor({ grades, own }: RankingQuery, document: number): number {
  return document === own ? 1 : (grades.get(document) ?? 0)
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

/** Gradients of the mean loss over the lists, and the means of what the method reports. */
async function gradientsOf(
  algorithm: RankingAlgorithm,
  config: unknown,
  scorer: RankingScorer,
  picked: readonly Picked[],
  microBatchSize: number,
  random: Random,
): Promise<{ readonly gradients: Record<string, tf.Tensor>; readonly metrics: Record<string, number> }> {
  const sums: Record<string, tf.Tensor> = {}
  const metrics: Record<string, number> = { loss: 0 }
  const across = algorithm.acrossLists(config)
  for (let start = 0; start < picked.length; start += microBatchSize) {
    const part = picked.slice(start, start + microBatchSize)
    const share = part.length / picked.length
    const batch: RankingBatch = {
      lists: part.map(({ query, positions }) => sublist(query.list, positions)),
      gradeOf: (list, document) => gradeFor(part[list]!.query, document),
    }
    const staged = scorer.stage?.(part) ?? null
    // Of one piece they are wanted for the method's own preparation alone.
    const ahead = staged !== null && (staged.rows.pieces.length > 1 || algorithm.prepare !== undefined)
    const vectors = ahead ? await stagedVectors(staged.rows) : null
    const scoresOf = (given: tf.Tensor2D | null, all: boolean): RankingScores =>
      staged === null ? scorer.score(part, all) : staged.score(given!, all)
    const prepared =
      algorithm.prepare === undefined
        ? null
        : algorithm.prepare(
            await valuesOf(scoresOf(vectors, false), part),
            batch,
            config,
            random.fork(`sample ${start}`),
          )
    for (const [name, value] of Object.entries(prepared?.metrics ?? {}))
      metrics[name] = (metrics[name] ?? 0) + share * value
    const lossOf = (given: tf.Tensor2D | null): tf.Scalar =>
      tf.mul(tf.mean(algorithm.loss(scoresOf(given, across), batch, config, prepared?.plan ?? null)), share)
    const { value: loss, grads } =
      staged === null
        ? variableGradients(() => lossOf(null), Object.values(scorer.variables))
        : await stagedGradients(staged.rows, vectors, lossOf, staged.more)
    vectors?.dispose()
    const names = new Map(Object.entries(scorer.variables).map(([name, variable]) => [variable.name, name]))
    for (const [variable, gradient] of Object.entries(grads)) {
      const name = names.get(variable) ?? variable
      const before = sums[name]
      sums[name] = before === undefined ? gradient : tf.add(before, gradient)
      if (before !== undefined) tf.dispose([before, gradient])
    }
    metrics['loss']! += (await loss.data<'float32'>())[0]!
    loss.dispose()
  }
  return { gradients: sums, metrics }
}

/** Scores of each list's own documents. */
async function valuesOf({ own }: RankingScores, lists: readonly Picked[]): Promise<number[][]> {
  const rows = await own.array()
  own.dispose()
  return rows.map((row, at) => row.slice(0, lists[at]!.positions.length))
}

function named(prefix: string, metrics: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(metrics).map(([name, value]) => [`${prefix}/${name}`, value]))
}

/** The whole side's order as a TREC run, and its measures by query, beside the checkpoints. */
function keep(runFolder: string, side: string, extent: Extent, ranked: readonly RankedQuery[], tag: string): void {
  if (extent === 'part') return
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
