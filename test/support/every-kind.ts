import { createRandom } from '../../main/core/learn/random.ts'
import type { ItemRow, PreferenceRow } from '../../shared/data-kinds.ts'
import type { Segment } from '../../shared/segment-pair.ts'
import { tinyRows, type TinyOptions } from './tiny-run.ts'

// A run of each paper's method and of the two that most begin with, as small as it can be. All texts are of one length: an
// emulated graphics card takes seconds to compile for each new shape.

const SIDES = ['train', 'train', 'train', 'train', 'validation', 'test'] as const

export const TEXTS: PreferenceRow[] = tinyRows(8, 2, 2).map((row) => ({
  ...row,
  a: row.a === 'no no no' ? 'no no' : row.a,
  b: row.b === 'no no no' ? 'no no' : row.b,
}))

function itemRows(count: number, dataOf: (index: number) => ItemRow['data']): ItemRow[] {
  return Array.from({ length: count }, (_none, index) => ({
    pairId: `i${index}`,
    split: SIDES[index % SIDES.length]!,
    preferenceA: null,
    strength: 1,
    labelCount: 0,
    data: dataOf(index),
  }))
}

function lists(): ItemRow[] {
  const random = createRandom(2)
  return itemRows(12, () => ({
    kind: 'features',
    docIds: ['a', 'b', 'c', 'd'],
    grades: [2, 0, 1, 0],
    features: [2, 0, 1, 0].map((grade) => [grade + random.normal(), random.normal()]),
  }))
}

function triples(): ItemRow[] {
  const topics = ['sea sail', 'law jury', 'bee hive']
  return itemRows(12, (index) => ({
    form: 'triple',
    query: topics[index % 3]!,
    positive: topics[index % 3]!.toUpperCase(),
    negatives: [topics[(index + 1) % 3]!],
    source: null,
  }))
}

function segments(): ItemRow[] {
  const random = createRandom(3)
  const segment = (score: number): Segment => ({
    observations: Array.from({ length: 6 }, () => Array.from({ length: 8 }, () => random.normal())),
    actions: Array.from({ length: 6 }, () => Array.from({ length: 4 }, () => random.uniform() - 0.5)),
    rewards: Array.from({ length: 6 }, () => random.uniform()),
    qpos: null,
    score,
    behaviour: null,
    origin: null,
  })
  return itemRows(12, (index) => ({ world: null, a: segment(index % 2), b: segment((index + 1) % 2) })).map(
    (row, index) => ({ ...row, preferenceA: index % 2, labelCount: 1 }),
  )
}

/** By method. The runs have no reference to score and nothing to evaluate beside what their last step ends with. */
export function everyKind(steps: number): Readonly<Record<string, TinyOptions>> {
  const training = {
    steps,
    batchSize: 2,
    microBatchSize: 2,
    maxLength: 16,
    evalEvery: 0,
    checkpointEvery: steps,
    samplePrompts: 0,
    clipNorm: 1,
  }
  const byte = { kind: 'new', preset: 'nano', tokenizer: { kind: 'byte' }, tiedEmbeddings: true } as const
  const networks = { kind: 'networks' } as const
  return {
    sft: { method: 'sft', rows: TEXTS, training, model: byte },
    dpo: { method: 'dpo', rows: TEXTS, training, model: byte },
    copg: { method: 'copg', rows: TEXTS, training, model: byte },
    'pg-rank': {
      method: 'pg-rank',
      rows: lists(),
      config: { temperature: 1, hidden: 3, listSize: 3, rankings: 3, entropy: 0.01, cutoff: 2 },
      training,
      model: networks,
    },
    grace: {
      method: 'grace',
      rows: triples(),
      config: { groupSize: 2, rolloutTokens: 4, system: 'say it', unfinishedPenalty: false },
      training: { ...training, maxLength: 48 },
      model: byte,
    },
    cpl: { method: 'cpl', rows: segments(), config: { width: 8 }, training, model: networks },
  }
}
