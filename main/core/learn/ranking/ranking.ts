// Methods that learn to order documents for a query: what a batch is, what a method declares, and what all of them share.
import { z } from 'zod'
import type { MetricInfo } from '../../../../shared/domain.ts'
import type { AlgorithmPage } from '../define.ts'
import type { Random } from '../random.ts'
import type { JudgedList } from './ranking-utility.ts'
import type { tf } from '../tf.ts'

/** A query's candidates: what a first stage found, or what a feature file lists. */
export interface CandidateList extends JudgedList {
  /** Their numbers in the collection, or in the file. */
  readonly documents: readonly number[]
  readonly unlisted: readonly number[]
}

/** Some lists of one update. A method's losses are per list, so that micro-batches add up. */
export interface RankingBatch {
  readonly lists: readonly CandidateList[]
  /** What list i's query's judges say of any document; 0 where nobody judged. */
  gradeOf(list: number, document: number): number
}

export interface RankingScores {
  /** Padded with PADDING. [list, longest list] */
  readonly own: tf.Tensor2D
  /** Every query against the documents of all lists, one list after the other; null where query and document are read together. [list, documents] */
  readonly all: tf.Tensor2D | null
}

export interface RankingPlan<P> {
  readonly plan: P
  /** By name as declared; means over these lists. */
  readonly metrics: Readonly<Record<string, number>>
}

/** A method that learns from queries with judged lists of documents. */
export interface RankingAlgorithm<C = unknown, P = unknown> extends AlgorithmPage<C> {
  readonly data: 'rankings'
  /** Documents of a list that an update reads, as positions in it. A method that contrasts puts the positive first; empty leaves the query out. */
  pick(list: CandidateList, config: C, random: Random): readonly number[]
  /** True where the other lists' documents are read too, which needs a scorer that embeds. */
  readonly acrossLists: (config: C) => boolean
  /** What is decided by the scores' values before the gradient is taken: sampled rankings. @param scores of each list's own documents */
  prepare?(scores: readonly (readonly number[])[], batch: RankingBatch, config: C, random: Random): RankingPlan<P>
  /** [list] */
  loss(scores: RankingScores, batch: RankingBatch, config: C, plan: P | null): tf.Tensor1D
}

/** Tokens of one forward pass while a ranker is measured and nothing is learned. */
export const EVALUATION_TOKENS = 8192

/** Identity that infers the config type and the plan's. */
export function defineRanking<C, P = null>(
  algorithm: Omit<RankingAlgorithm<C, P>, 'data' | 'role' | 'models' | 'needsReference' | 'mainMetric'>,
): RankingAlgorithm<C, P> {
  return {
    data: 'rankings',
    role: 'ranker',
    models: ['networks', 'text-encoder'],
    needsReference: false,
    mainMetric: 'eval/ndcg',
    ...algorithm,
  }
}

/** Not of networks on features. A run to start from may be of either. */
const READS_TEXTS = { models: ['new', 'run', 'registered'] }

/** Settings of the scorer and of the lists, which every ranking method has. */
export const SCORER_FIELDS = {
  scorer: z
    .enum(['bi-encoder', 'cross-encoder'])
    .default('bi-encoder')
    .meta({
      title: 'Scorer',
      help: 'Of a text encoder: query and document apart, compared by their vectors; or read together, which is slower and sees how words meet.',
      group: 'main',
      ...READS_TEXTS,
    }),
  similarity: z
    .enum(['cosine', 'dot'])
    .default('cosine')
    .meta({
      title: 'Similarity',
      help: 'How a bi-encoder compares two vectors.',
      group: 'main',
      when: { scorer: ['bi-encoder'] },
      ...READS_TEXTS,
    }),
  temperature: z.number().positive().max(100).default(1).meta({
    title: 'Temperature',
    symbol: 'τ',
    help: 'Scores are divided by it. Cosines need about 0.05, dot products and features 1.',
    group: 'main',
  }),
  hidden: z
    .int()
    .min(0)
    .max(512)
    .default(16)
    .meta({
      title: 'Hidden units',
      help: 'Of a small network on features; 0 is a linear scorer.',
      group: 'expert',
      models: ['networks'],
    }),
  candidates: z.int().min(2).max(1000).default(50).meta({
    title: 'Candidates',
    unit: 'documents',
    help: 'How many of BM25’s best documents are put in order for each query. Feature files bring their own lists.',
    group: 'main',
  }),
  cutoff: z.int().min(1).max(1000).default(10).meta({
    title: 'Cut-off',
    symbol: 'k',
    help: 'Places that count, in training and in nDCG@k, MRR@k and recall@k.',
    group: 'main',
  }),
} as const

/** How many documents of a list an update reads. */
export const LIST_SIZE = z.int().min(2).max(1000).default(16).meta({
  title: 'List size',
  unit: 'documents',
  help: 'Documents of a query that one update reads: relevant ones for at most half, the rest drawn from the other candidates.',
  group: 'main',
})

/** Positions of at most `size` documents: relevant ones for at most half of them where there are more, others drawn. All, where they fit. */
export function pickList({ relevance }: JudgedList, size: number, random: Random): number[] {
  const all = [...relevance.keys()]
  if (!relevance.some((grade) => grade > 0)) return []
  if (all.length <= size) return all
  const relevant = random.shuffle(all.filter((at) => relevance[at]! > 0))
  const others = random.shuffle(all.filter((at) => relevance[at]! <= 0))
  const kept = relevant.slice(0, Math.max(Math.ceil(size / 2), size - others.length))
  return [...kept, ...others.slice(0, size - kept.length)].sort((a, b) => a - b)
}

/** The list that is left of another; relevant documents that were not picked count as not listed. */
export function sublist(list: CandidateList, picked: readonly number[]): CandidateList {
  const chosen = new Set(picked)
  return {
    documents: picked.map((at) => list.documents[at]!),
    relevance: picked.map((at) => list.relevance[at]!),
    unlisted: [...list.unlisted, ...list.relevance.filter((grade, at) => grade > 0 && !chosen.has(at))],
  }
}

export function lossInfo(help: string, unit = 'nats'): MetricInfo {
  return { name: 'loss', label: 'Loss', unit, goal: 'min', help }
}

/** What every ranking method is judged by on held-out queries; the trainer measures it. */
export function rankingInfo(): MetricInfo[] {
  return [
    {
      name: 'ndcg',
      label: 'nDCG@k',
      unit: 'fraction',
      goal: 'max',
      help: 'Gain of the first k places over that of the best order of all judged documents, with linear gain; mean over queries with a relevant document. A healthy curve rises above the first stage’s.',
    },
    {
      name: 'ndcg_exp',
      label: 'nDCG@k, exponential gain',
      unit: 'fraction',
      goal: 'max',
      help: 'The same with 2^grade − 1 as the gain, as LETOR and LightGBM have it; equal to nDCG@k where grades are 0 and 1.',
    },
    {
      name: 'mrr',
      label: 'MRR@k',
      unit: 'fraction',
      goal: 'max',
      help: 'One over the place of the first relevant document, 0 where none is among the first k.',
    },
    {
      name: 'map',
      label: 'MAP@k',
      unit: 'fraction',
      goal: 'max',
      help: 'Precision at the place of each relevant document among the first k, over all relevant ones; mean over queries.',
    },
    {
      name: 'recall',
      label: 'Recall@k',
      unit: 'fraction',
      goal: 'max',
      help: 'Share of a query’s relevant documents among the first k.',
    },
    {
      name: 'first_stage_ndcg',
      label: 'nDCG@k of the first stage',
      unit: 'fraction',
      goal: 'max',
      help: 'The same queries in the order in which they came: BM25’s, or the file’s. It stays where it is; a reranker below it makes things worse.',
    },
  ]
}
