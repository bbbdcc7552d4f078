import { z } from 'zod'
import { AppError } from '../../../../shared/errors.ts'
import type { CheckpointState } from '../../../core/models/checkpoint-files.ts'
import { createMatchModel, MATCH_FEATURES } from '../../../core/learn/ranking/match-features.ts'
import { gatherRows } from '../../../core/learn/models/fused.ts'
import { createFeatureScorer } from '../../../core/learn/models/scorers.ts'
import type { Staged } from '../../../core/learn/models/pieces.ts'
import { PADDING } from '../../../core/learn/algorithms/plackett-luce.ts'
import type { NamedTensor, TensorSource } from '../../../core/learn/models/parameters.ts'
import { createRandom, type Random } from '../../../core/learn/random.ts'
import type { RankingScores } from '../../../core/learn/ranking/ranking.ts'
import { tf } from '../../../core/learn/tf.ts'
import type { RankingData, RankingQuery } from './ranking-data.ts'

/** Some documents of a query, as positions in its list. */
export interface Picked {
  readonly query: RankingQuery
  readonly positions: readonly number[]
}

/** What a course trains: anything that scores documents for queries. Scores are divided by the temperature already. */
export interface RankingScorer {
  readonly variables: Readonly<Record<string, tf.Variable>>
  readonly parameterCount: number
  /** Of all weights as they are kept; absent: float32. */
  readonly weightBytes?: number
  /** What adapters stand beside, where they are what trains. */
  readonly base?: RankerBase | null
  /** @param across also every query against every list's documents; null where that cannot be done */
  score(lists: readonly Picked[], across: boolean): RankingScores
  /** Of a scorer that reads texts: the same in two stages, vectors first, so that a gradient needs the memory of a few texts. */
  readonly stage?: (lists: readonly Picked[]) => StagedScores
  /** The same values without a gradient, for any number of lists. [list][position] @param progress told which share is done, where that takes a while */
  rank(lists: readonly Picked[], progress?: (share: number) => void): Promise<number[][]>
  /** config.json and tokenizer.json of a checkpoint. */
  readonly files: { readonly config: unknown; readonly tokenizer: unknown }
  read(name: string): Promise<NamedTensor>
  readonly shapes: Readonly<Record<string, readonly number[]>>
  /** @throws RangeError when a tensor is missing or has another shape */
  load(source: TensorSource): void
}

/** The frozen network beside a ranker's adapters. */
export interface RankerBase {
  /** adapter_config.json. @param path of the folder that holds the frozen network */
  adapterConfig(path: string): unknown
  /** Where the network is; null: only in memory, and has to be written into the run's folder. */
  readonly note: CheckpointState['base']
  readonly shapes: Readonly<Record<string, readonly number[]>>
  readonly source: TensorSource
}

export interface StagedScores {
  readonly rows: Staged<readonly number[]>
  /** Variables that scores are computed with beside those that make the vectors. */
  readonly more: readonly tf.Variable[]
  /** @param vectors of all rows, in their order */
  score(vectors: tf.Tensor2D, across: boolean): RankingScores
}

/** Scores of all lists' documents, one after the other, as rows padded with PADDING. [documents] → [list, longest list] */
export function paddedScores(scores: tf.Tensor1D, lists: readonly Picked[]): tf.Tensor2D {
  return tf.tidy(() => {
    const longest = Math.max(...lists.map(({ positions }) => positions.length))
    const [total] = scores.shape
    let at = 0
    const rows = lists.map(({ positions }) =>
      Array.from({ length: longest }, (_none, place) => (place < positions.length ? at++ : total)),
    )
    const extended = tf.concat([tf.reshape(scores, [total, 1]), tf.tensor2d([[PADDING]])]) as tf.Tensor2D
    return tf.reshape(gatherRows(extended, Int32Array.from(rows.flat())), [lists.length, longest])
  })
}

const LISTS_AT_ONCE = 16

export const rankerConfig = z.looseObject({
  model_type: z.literal('pairlab-ranker'),
  features: z.array(z.string()),
  hidden: z.array(z.int()),
  mean: z.array(z.number()),
  deviation: z.array(z.number()),
})

export interface FeatureScorerSettings {
  readonly hidden: number
  readonly temperature: number
  readonly seed: number
  /** Where the weights come from another run: its config.json. */
  readonly from: unknown
  /** Awaited between pieces of work, so that the run shows that it is alive. */
  pause(): Promise<void>
}

/**
 * A linear scorer or a small network on features: those of the file, brought to mean 0 and deviation 1 over the training
 * lists, or how well texts match (see match-features.ts).
 * @throws AppError `spec-invalid` where the weights to start from are of other features
 */
export async function openFeatureScorer(
  data: RankingData,
  { hidden, temperature, seed, from, pause }: FeatureScorerSettings,
): Promise<RankingScorer> {
  const random = createRandom(seed)
  const names =
    data.featureCount === null
      ? [...MATCH_FEATURES]
      : Array.from({ length: data.featureCount }, (_none, at) => `${at + 1}`)
  const known = from === null ? null : rankerConfig.safeParse(from)
  if (known !== null && (!known.success || known.data.features.join() !== names.join())) {
    throw new AppError({
      code: 'spec-invalid',
      message: 'The run to start from scores other features than this data set has.',
      hint: 'Start from a run on the same kind of data, or from new networks.',
    })
  }
  const layers = known?.success === true ? known.data.hidden : hidden === 0 ? [] : [hidden]
  const scale =
    known?.success === true
      ? { mean: known.data.mean, deviation: known.data.deviation }
      : data.featureCount === null
        ? { mean: names.map(() => 0), deviation: names.map(() => 3) }
        : momentsOf(data.queries.train, data.featureCount)
  const featuresOf =
    data.featureCount === null
      ? await matchFeatures(data, random.fork('features'), pause)
      : ({ features }: RankingQuery, position: number): readonly number[] => features![position]!
  const scorer = createFeatureScorer({ features: names.length, hidden: layers, random: random.fork('weights') })

  function score(lists: readonly Picked[]): RankingScores {
    const own = tf.tidy(() => {
      const longest = Math.max(...lists.map(({ positions }) => positions.length))
      const values = new Float32Array(lists.length * longest * names.length)
      const padding = new Float32Array(lists.length * longest).fill(PADDING)
      lists.forEach(({ query, positions }, list) =>
        positions.forEach((position, place) => {
          const at = list * longest + place
          padding[at] = 0
          featuresOf(query, position).forEach(
            (value, feature) =>
              (values[at * names.length + feature] = (value - scale.mean[feature]!) / scale.deviation[feature]!),
          )
        }),
      )
      const all = tf.reshape(scorer.score(tf.tensor2d(values, [lists.length * longest, names.length])), [
        lists.length,
        longest,
      ])
      return tf.add(tf.div(all, temperature), tf.tensor2d(padding, [lists.length, longest])) as tf.Tensor2D
    })
    return { own, all: null }
  }
  const shapes = Object.fromEntries(Object.entries(scorer.variables).map(([name, variable]) => [name, variable.shape]))
  return {
    variables: scorer.variables,
    parameterCount: Object.values(scorer.variables).reduce((sum, { size }) => sum + size, 0),
    score,
    async rank(lists) {
      const result: number[][] = []
      for (let start = 0; start < lists.length; start += LISTS_AT_ONCE) {
        const part = lists.slice(start, start + LISTS_AT_ONCE)
        const { own } = score(part)
        const rows = await own.array()
        own.dispose()
        result.push(...rows.map((row, at) => row.slice(0, part[at]!.positions.length)))
      }
      return result
    },
    files: { config: { model_type: 'pairlab-ranker', features: names, hidden: layers, ...scale }, tokenizer: null },
    shapes,
    async read(name) {
      const variable = scorer.variables[name]
      if (variable === undefined) throw new RangeError(`the scorer has no tensor ${name}`)
      return { shape: variable.shape, data: (await variable.data<'float32'>()).slice() }
    },
    load(source) {
      for (const [name, variable] of Object.entries(scorer.variables)) {
        const { shape, data: given } = source.read(name)
        if (shape.join() !== variable.shape.join())
          throw new RangeError(`${name} has shape [${shape.join(', ')}], expected [${variable.shape.join(', ')}]`)
        tf.tidy(() => variable.assign(tf.tensor(given.slice(), variable.shape)))
      }
    },
  }
}

/** Match features of every candidate, once. */
async function matchFeatures(
  { documents, queries }: RankingData,
  random: Random,
  pause: () => Promise<void>,
): Promise<(query: RankingQuery, position: number) => Float32Array> {
  const all = [...queries.train, ...queries.validation, ...queries.test]
  const model = await createMatchModel({
    documents: documents.map(({ title, text }) => (title === '' || text.startsWith(title) ? text : `${title} ${text}`)),
    random,
    pause,
  })
  const kept = new Map<RankingQuery, Float32Array[]>()
  // A few queries at a time: each has a row over the whole collection.
  for (let start = 0; start < all.length; start += 64) {
    const some = all.slice(start, start + 64)
    await pause()
    const matrices = model.features(some.map(({ text }) => text))
    some.forEach((query, row) =>
      kept.set(
        query,
        query.list.documents.map((document) =>
          Float32Array.from(matrices, (matrix) => matrix[row * documents.length + document]!),
        ),
      ),
    )
  }
  return (query, position) => kept.get(query)![position]!
}

function momentsOf(
  queries: readonly RankingQuery[],
  count: number,
): { readonly mean: readonly number[]; readonly deviation: readonly number[] } {
  const rows = queries.flatMap(({ features }) => features ?? [])
  const mean = Array.from(
    { length: count },
    (_none, at) => rows.reduce((sum, row) => sum + row[at]!, 0) / Math.max(1, rows.length),
  )
  const deviation = mean.map((center, at) =>
    Math.sqrt(rows.reduce((sum, row) => sum + (row[at]! - center) ** 2, 0) / Math.max(1, rows.length)),
  )
  return { mean, deviation: deviation.map((value) => (value < 1e-9 ? 1 : value)) }
}
