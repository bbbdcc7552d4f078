import type { ItemRow, PreferenceRow } from '../../shared/data-kinds.ts'
import type { AlgorithmPage } from '../../main/core/learn/define.ts'
import { createRandom } from '../../main/core/learn/random.ts'
import { tinyRows, type TinyOptions } from './tiny-run.ts'

// The smallest run of each kind of data that still trains, holds out and is judged.

const SIDES = [...Array.from({ length: 6 }, () => 'train' as const), 'validation' as const, 'test' as const]

function items(
  data: (at: number) => ItemRow['data'],
  preferenceA: (at: number) => number | null = () => null,
): ItemRow[] {
  return SIDES.map((split, at) => ({
    pairId: `p${at}`,
    split,
    preferenceA: preferenceA(at),
    strength: 1,
    labelCount: 1,
    data: data(at),
  }))
}

function segments(): ItemRow[] {
  const random = createRandom(2)
  const one = (): { score: number } & Record<string, ItemRow['data']> => {
    const rows = (): number[][] =>
      Array.from({ length: 4 }, () => [Number((2 * random.uniform() - 1).toFixed(3)) * 0.9])
    const [observations, actions] = [rows(), rows()]
    const rewards = actions.map(([action], t) => -((action! - 0.5 * observations[t]![0]!) ** 2))
    return {
      observations,
      actions,
      rewards,
      qpos: null,
      score: rewards.reduce((sum, reward) => sum + reward, 0),
      behaviour: null,
      origin: null,
    }
  }
  const pairs = SIDES.map(() => ({ world: null, a: one(), b: one() }))
  return items(
    (at) => pairs[at]!,
    (at) => (pairs[at]!.a.score > pairs[at]!.b.score ? 1 : 0),
  )
}

function lists(): ItemRow[] {
  const random = createRandom(3)
  return items((at) => ({
    kind: 'features',
    docIds: [0, 1, 2, 3].map((document) => `d${at}-${document}`),
    grades: [2, 1, 0, 0],
    features: [2, 1, 0, 0].map((grade) => [grade + 0.3 * random.normal(), random.normal()]),
  }))
}

function texts(): ItemRow[] {
  const about = (topic: number, at: number): string => `${['sea', 'law'][topic]} ${at % 5}`
  return items((at) => ({
    form: 'triple',
    query: about(at % 2, at),
    positive: about(at % 2, at + 1),
    negatives: [about(1 - (at % 2), at)],
    source: null,
  })).slice(3) // three to train on, so that two updates see a second epoch
}

function pairs(): PreferenceRow[] {
  return tinyRows(3, 1, 1)
}

/** A step before the checkpoint and one after it, in another epoch. */
const nano: TinyOptions = {
  training: {
    steps: 2,
    batchSize: 2,
    microBatchSize: 1,
    maxLength: 12,
    evalEvery: 1,
    evalPairs: 1,
    checkpointEvery: 1,
    keepCheckpoints: 9,
    samplePrompts: 0,
    dropout: 0.1,
  },
}
const networks: TinyOptions = {
  model: { kind: 'networks' },
  training: { ...nano.training, steps: 8, batchSize: 3, evalEvery: 4, checkpointEvery: 4 },
}

/** By kind of data. A kind without an entry cannot be tested, which fails. */
const KINDS: Readonly<Record<string, TinyOptions>> = {
  'response-pairs': { ...nano, rows: pairs() },
  rankings: { ...networks, rows: lists() },
  'segment-pairs': { ...networks, rows: segments() },
  'contrast-groups': { ...nano, rows: texts() },
}

/** What makes a method's own settings small: sizes, never what it computes. Names that a method lacks are left out. */
const SMALL = {
  groupSize: 2,
  rolloutTokens: 2,
  rankings: 3,
  listSize: 4,
  negatives: 1,
  hidden: 4,
  width: 8,
  system: 'x',
  cutoff: 3,
}

/** A run of the method that takes a second or less. */
export function tinyRunOf(method: AlgorithmPage): TinyOptions {
  const kind = KINDS[method.data]
  if (kind === undefined)
    throw new Error(`There is no tiny data set of the kind ${method.data}, which ${method.id} learns from: add one.`)
  const fields = Object.keys(method.config.parse({}) as Readonly<Record<string, unknown>>)
  return {
    ...kind,
    method: method.id,
    config: Object.fromEntries(Object.entries(SMALL).filter(([name]) => fields.includes(name))),
  }
}
