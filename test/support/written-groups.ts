import { groupBatch, tokenBatch, type EncodedGroup } from '../../main/core/learn/batches.ts'
import { createDecoder } from '../../main/core/learn/models/decoder.ts'
import type { Algorithm, GroupBatch, Network } from '../../main/core/learn/define.ts'
import { createRandom } from '../../main/core/learn/random.ts'
import { findTextAlgorithm } from '../../main/core/learn/registry.ts'
import { sampleCompletions } from '../../main/core/learn/sampling/sample.ts'
import { tf } from '../../main/core/learn/tf.ts'
import { trainingConfig } from '../../shared/training-config.ts'
import { byteTokenizer } from '../../main/core/learn/tokens/bpe-trainer.ts'
import { tagsFormat } from '../../main/core/learn/tokens/tags-format.ts'
import { loadTokenizer } from '../../main/core/learn/tokens/tokenizer.ts'
import { openFreshRewards } from '../../main/workers/trainer/text/fresh-rewards.ts'
import { openRollouts } from '../../main/workers/trainer/text/rollouts.ts'
import { groupTotals } from '../../main/core/learn/batch-totals.ts'
import { oneLayer } from './one-layer.ts'

// Completions that a small policy wrote, and what a method makes of them.

const PAD = 0
/** Ends a completion. */
const END = 1

/** Completions that a small policy wrote, with rewards by their length, and a reference that is another policy. */
export async function writtenGroups(samples: number) {
  const config = oneLayer(12)
  const decoder = createDecoder(config, createRandom(3))
  const reference = createDecoder(config, createRandom(4))
  const prompts = [
    [2, 3, END],
    [4, END],
    [5, 6, 7, END],
  ]
  const random = createRandom(8)
  const asked = prompts.flatMap((prompt) => Array.from({ length: samples }, () => prompt))
  const drawn = await sampleCompletions(decoder, asked, (row) => random.fork(String(row)), {
    maxTokens: 6,
    temperature: 1,
    endId: END,
  })
  const groups = prompts.map((prompt, at): EncodedGroup => ({
    promptText: `p${at}`,
    completions: drawn
      .slice(at * samples, (at + 1) * samples)
      .map((one) => ({ prompt, completion: one.ids, text: '' })),
    rewards: drawn.slice(at * samples, (at + 1) * samples).map((one, k) => one.ids.length / 3 + 0.1 * k),
    weight: 1,
  }))
  const rows = groups.flatMap((group) => group.completions)
  const tokens = tokenBatch(rows, PAD)
  const table = (await reference.tokenLogProbs(tokens).array()) as number[][]
  const referenceOf = (row: (typeof rows)[number]): number[] =>
    table[rows.indexOf(row)]?.slice(row.prompt.length - 1) ?? []
  const old = (await decoder.tokenLogProbs(tokens).array()) as number[][]
  const oldOf = (row: (typeof rows)[number]): number[] => old[rows.indexOf(row)]?.slice(row.prompt.length - 1) ?? []
  return {
    decoder,
    groups,
    batch: (part: readonly EncodedGroup[]) => groupBatch(part, samples, PAD, referenceOf, oldOf),
  }
}

export function gradientOf(
  algorithm: Algorithm,
  network: Network & { readonly variables: Readonly<Record<string, tf.Variable>> },
  batch: GroupBatch,
  totals: ReturnType<typeof groupTotals>,
  config: Record<string, unknown>,
): number[] {
  const parsed = algorithm.config.parse(config)
  const { grads } = tf.variableGrads(
    () => algorithm.loss({ network, batch, totals, config: parsed }).loss,
    Object.values(network.variables),
  )
  return Object.values(network.variables).flatMap((variable) => [...grads[variable.name]!.dataSync()])
}

export function furthest(a: readonly number[], b: readonly number[], scale = 1): number {
  return a.reduce((most, value, at) => Math.max(most, Math.abs(value - scale * b[at]!)), 0)
}

/** Roll-outs of a method in no more of a session than they read, on two prompts. */
export async function openWith(
  decoder: Awaited<ReturnType<typeof writtenGroups>>['decoder'],
  method: string,
  config: unknown,
  training: ReturnType<typeof trainingConfig.parse>,
  warnings: string[] = [],
) {
  const algorithm = findTextAlgorithm(method)
  const tokenizer = {
    ...loadTokenizer(byteTokenizer()),
    encode: (text: string) => [2 + (text.length % 8)],
    decode: (ids: readonly number[]) => ids.join(''),
    endId: END,
    stopIds: [END],
    padId: PAD,
  }
  const sets = {
    train: {
      pairs: ['a', 'bb'].map((promptText) => ({ promptText, contents: { prompt: promptText } })),
      rewards: null,
    },
    validation: { pairs: [], rewards: null },
    test: { pairs: [], rewards: null },
  }
  const context = {
    spec: { training, seed: 3, rewardModelPath: null },
    breathe: () => Promise.resolve(),
    warn: (message: string) => void warnings.push(message),
  }
  const reference = {
    hash: '',
    use: <T>(work: (policy: typeof decoder) => Promise<T>) => work(decoder),
    useFirst: <T>(work: (policy: typeof decoder) => Promise<T>) => work(decoder),
    keep: () => undefined,
    moving: null,
  }
  const needs = {
    context,
    algorithm,
    config,
    tokenizer,
    format: tagsFormat(tokenizer),
    decoder,
    sets,
    reference,
  } as never // no more of a session than it reads
  const rollouts = (await openRollouts(needs, null))!
  return { ...rollouts, evaluate: () => openFreshRewards(needs, rollouts)!.evaluate('eval') }
}

/** The same groups with none of the tokens of some completions counting. */
export function masked(groups: readonly EncodedGroup[], which: (at: number) => boolean): EncodedGroup[] {
  return groups.map((group) => ({
    ...group,
    completions: group.completions.map((row, at) =>
      which(at) ? { ...row, trained: new Uint8Array(row.completion.length) } : row,
    ),
  }))
}
