// An update cut for memory is the update of the whole: of rankers that read pairs, and of GRACE's policy.
import { expect, test } from 'vitest'
import type { ContrastItem, ContrastStep } from '../../main/core/learn/embed/contrast.ts'
import { createDecoder, presetConfig } from '../../main/core/learn/models/decoder.ts'
import type { Optimizer } from '../../main/core/learn/optimizer.ts'
import { createRandom } from '../../main/core/learn/random.ts'
import { findContrastMethod, findRankingAlgorithm } from '../../main/core/learn/registry.ts'
import { tf } from '../../main/core/learn/tf.ts'
import { byteTokenizer } from '../../main/core/learn/tokens/bpe-trainer.ts'
import { tagsFormat } from '../../main/core/learn/tokens/tags-format.ts'
import { loadTokenizer } from '../../main/core/learn/tokens/tokenizer.ts'
import { openEngine } from '../../main/workers/engine/choose.ts'
import { minimizeParts } from '../../main/workers/trainer/minimize.ts'
import { gradientsOf } from '../../main/workers/trainer/rankings/ranking-gradients.ts'
import type { RankingData, RankingQuery } from '../../main/workers/trainer/rankings/ranking-data.ts'
import type { RankingScorer } from '../../main/workers/trainer/rankings/ranking-scorer.ts'
import { openTextScorer } from '../../main/workers/trainer/rankings/ranking-text-scorer.ts'
import type { RunContext } from '../../main/workers/trainer/run-context.ts'
import { trainingConfig } from '../../shared/training-config.ts'

await openEngine('wasm')

interface Found {
  readonly loss: number
  readonly gradients: Readonly<Record<string, Float32Array>>
}

/** Of what is largest in a gradient, what rounding may change. */
const TOLERANCE = 2e-5

function expectSame(found: Found, whole: Found, what: string): void {
  expect(Math.abs(found.loss - whole.loss), what).toBeLessThan(1e-5 * Math.max(1, Math.abs(whole.loss)))
  expect(Object.keys(found.gradients).toSorted(), what).toEqual(Object.keys(whole.gradients).toSorted())
  for (const [name, values] of Object.entries(whole.gradients)) {
    const scale = values.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-4)
    const worst = values.reduce((most, value, at) => Math.max(most, Math.abs(value - found.gradients[name]![at]!)), 0)
    expect(worst / scale, `${what}: ${name}`).toBeLessThan(TOLERANCE)
  }
}

function read(gradients: Readonly<Record<string, tf.Tensor>>): Found['gradients'] {
  return Object.fromEntries(
    Object.entries(gradients).map(([name, one]) => [name, Float32Array.from(one.dataSync<'float32'>())]),
  )
}

const DOCUMENTS = 9
const rankingData: RankingData = {
  queries: { train: [0, 1, 2].map(queryOf), validation: [], test: [] },
  documents: Array.from({ length: DOCUMENTS }, (_none, at) => ({
    docId: `d${at}`,
    title: '',
    text: 'rust on iron and steel '.slice(at % 5, 6 + 2 * at),
  })),
  featureCount: null,
  candidateRecall: 1,
}

function queryOf(at: number): RankingQuery {
  const documents = Array.from({ length: 4 + at }, (_none, place) => (place + 2 * at) % DOCUMENTS)
  const relevance = documents.map((_document, place) => (place === at ? 2 : place === 3 ? 1 : 0))
  return {
    queryId: `q${at}`,
    text: ['why', 'does iron', 'rust now'][at]!,
    list: { documents, relevance, unlisted: [] },
    docIds: documents.map((number) => `d${number}`),
    firstScores: null,
    features: null,
    grades: new Map(documents.map((number, place) => [number, relevance[place]!])),
    own: null,
  }
}

function openScorer(scorer: 'bi-encoder' | 'cross-encoder'): Promise<RankingScorer> {
  const model = { kind: 'new', preset: 'nano', tokenizer: { kind: 'byte' }, tiedEmbeddings: true } as const
  const context = {
    spec: { training: trainingConfig.parse({ maxLength: 40 }), model, seed: 4 },
    breathe: async () => undefined,
  } as unknown as RunContext
  return openTextScorer(context, rankingData, { scorer, similarity: 'cosine', temperature: 0.5 })
}

/** The same rows in pieces of so many; null: the whole at once, without the two stages. */
function cut(scorer: RankingScorer, size: number | null): RankingScorer {
  const { stage, ...rest } = scorer
  if (size === null) return rest
  return {
    ...rest,
    stage(lists) {
      const staged = stage!(lists)
      const rows = staged.rows.pieces.flat()
      const pieces = Array.from({ length: Math.ceil(rows.length / size) }, (_none, at) =>
        rows.slice(at * size, (at + 1) * size),
      )
      return { ...staged, rows: { ...staged.rows, pieces } }
    },
  }
}

const picked = rankingData.queries.train.map((query) => ({ query, positions: [...query.list.documents.keys()] }))

test.each([
  ['pg-rank', 'cross-encoder', { rankings: 5, cutoff: 3, entropy: 0.02 }],
  ['softmax-ce', 'cross-encoder', {}],
  ['listnet', 'cross-encoder', {}],
  ['listmle', 'cross-encoder', {}],
  ['ranknet', 'cross-encoder', {}],
  ['pg-rank', 'bi-encoder', { rankings: 5, cutoff: 3 }],
  ['infonce', 'bi-encoder', { negatives: 3 }],
] as const)('%s of a %s: value and gradients in pieces are those of the whole', async (method, kind, config) => {
  const algorithm = findRankingAlgorithm(method)
  const settings = algorithm.config.parse({ ...config, scorer: kind })
  const scorer = await openScorer(kind)
  const of = async (size: number | null): Promise<Found> => {
    const { gradients, metrics } = await gradientsOf(algorithm, settings, cut(scorer, size), picked, 3, createRandom(2))
    const found = { loss: metrics['loss']!, gradients: read(gradients) }
    tf.dispose(gradients)
    return found
  }
  const whole = await of(null)
  expect(Object.keys(whole.gradients)).toHaveLength(Object.keys(scorer.variables).length)
  const before = tf.memory().numTensors
  for (const size of [1, 2, 4, 7, 100]) expectSame(await of(size), whole, `pieces of ${size}`)
  expect(tf.memory().numTensors).toBe(before)
  tf.dispose(Object.values(scorer.variables))
})

const tokenizer = loadTokenizer(byteTokenizer())

test.each(['clipped', 'sum'] as const)(
  'GRACE’s policy step (%s): value and gradients by micro-batches are those of the whole batch',
  async (objective) => {
    const method = findContrastMethod('grace')
    const decoder = createDecoder(presetConfig('nano', tokenizer.vocabSize), createRandom(6))
    const texts = ['sea wave', 'law court', 'sea tide', 'law judge', 'sea foam']
    const items = texts.map((text, at): ContrastItem => ({
      id: `i${at}`,
      query: text,
      positive: `${text} ${at}`,
      negatives: [texts[(at + 1) % texts.length]!],
    }))
    const training = trainingConfig.parse({})
    const of = async (microBatchSize: number): Promise<Found & { readonly parts: number }> => {
      let gradients: Found['gradients'] = {}
      let count = 0
      const optimizer = {
        step: 0,
        apply: (sums: Record<string, tf.Tensor>) => void (gradients = read(sums)),
      } as unknown as Optimizer
      const step = {
        config: method.config.parse({
          groupSize: 2,
          rolloutTokens: 6,
          system: 'x',
          objective,
          unfinishedPenalty: false,
        }),
        decoder,
        tokenizer,
        format: tagsFormat(tokenizer),
        maxLength: 48,
        random: (label: string) => createRandom(9).fork(label),
        breathe: async () => undefined,
        items,
        microBatchSize,
        async minimizeParts(parts, loss) {
          count = parts.count
          return (await minimizeParts(decoder, optimizer, training, parts, loss, () => undefined)).metrics
        },
        minimizeVectors: async () => ({}),
      } satisfies ContrastStep<unknown>
      const { metrics } = await method.update(step)
      return { loss: metrics['loss']!, gradients, parts: count }
    }
    const whole = await of(items.length)
    expect([whole.parts, Object.keys(whole.gradients).length]).toEqual([1, Object.keys(decoder.variables).length])
    expect(whole.gradients['model.embed_tokens.weight']!.some((value) => Math.abs(value) > 1e-6)).toBe(true)
    for (const [size, parts] of [
      [1, 5],
      [2, 3],
      [3, 2],
      [4, 2],
    ] as const) {
      const found = await of(size)
      expect(found.parts).toBe(parts)
      expectSame(found, whole, `micro-batches of ${size}`)
    }
    decoder.dispose()
  },
)
