import { readdir, readFile, mkdtemp, rm, symlink } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { z } from 'zod'
import { decoderFrom, type Decoder } from '../../core/learn/models/decoder.ts'
import { sampleCompletions } from '../../core/learn/sampling/sample.ts'
import { createRandom } from '../../core/learn/random.ts'
import { sftLoss } from '../../core/learn/algorithms/sft.ts'
import type { TokenBatch } from '../../core/learn/define.ts'
import { tf } from '../../core/learn/tf.ts'
import { packSequences } from '../../core/learn/models/packing.ts'
import { openModelFolder } from '../../core/models/folder.ts'
import { compareValues, EXACT, SINGLE, SINGLE_LOOSE, type Comparison, type Tolerance } from './compare.ts'
import { descendOnce } from './descend-once.ts'
import type { GoldenResult } from './check.ts'
import type { Value } from './vectors.ts'

const matrix = z.array(z.array(z.number()))
const row = z.array(z.number())
const padded = z.object({
  attention_mask: matrix,
  per_token_logps: z.array(z.array(z.number().nullable())),
  logits_row0: matrix.optional(),
  logits_row1_last_valid: row.optional(),
  logits_row1_last: row.optional(),
  last_hidden_row0_after_final_norm: matrix.optional(),
  mean_pooled: matrix.optional(),
})
const vectors = z.object({
  input_ids: matrix,
  right_padded: padded,
  left_padded: padded,
  sft: z.object({
    attention_mask: matrix,
    completion_mask: matrix,
    loss_token_mean: z.number(),
    grad_l2_norm: z.record(z.string(), z.number()),
    grad_first4: z.record(z.string(), row),
    grad_total_norm: z.number(),
    'loss_after_sgd_0.05': z.number(),
  }),
  greedy: z.object({ prompt: z.array(z.number()), output: z.array(z.number()), top1_top2_margin: z.array(z.number()) }),
  parameters: z.record(z.string(), z.array(z.number())),
})
type Vectors = z.output<typeof vectors>

const LOGITS: Tolerance = { absolute: 2e-4, relative: 0 }
/** A sum over 160 logits behind each. */
const LOG_PROBS: Tolerance = { absolute: 5e-4, relative: 0 }
const NORMS: Tolerance = { absolute: 1e-6, relative: 1e-3 }
/** Two engines may order tokens differently where they are as near as this. */
const CLEAR_MARGIN = 1e-2

/** Every model of the folder, with both spellings of its configuration. */
export async function checkModelFolder(folder: string): Promise<GoldenResult[]> {
  const results: GoldenResult[] = []
  for (const entry of (await readdir(folder, { withFileTypes: true })).toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    if (!entry.isDirectory()) continue
    const model = path.join(folder, entry.name)
    const file = `${path.basename(folder)}/${entry.name}`
    results.push(...(await checkModel(model, file, 'config.json')))
    if ((await readdir(model)).includes('config.v4.json'))
      results.push(...(await withConfig(model, 'config.v4.json', (copy) => checkModel(copy, file, 'config.v4.json'))))
  }
  return results
}

/** The same files under another configuration. */
async function withConfig<T>(model: string, config: string, work: (folder: string) => Promise<T>): Promise<T> {
  const copy = await mkdtemp(path.join(os.tmpdir(), 'pairlab-golden-'))
  try {
    for (const name of await readdir(model))
      if (!name.startsWith('config.')) await symlink(path.join(model, name), path.join(copy, name))
    await symlink(path.join(model, config), path.join(copy, 'config.json'))
    return await work(copy)
  } finally {
    await rm(copy, { recursive: true, force: true })
  }
}

async function checkModel(folder: string, file: string, config: string): Promise<GoldenResult[]> {
  try {
    const expected = vectors.parse(JSON.parse(await readFile(path.join(folder, 'vectors.json'), 'utf8')))
    const model = openModelFolder(folder)
    try {
      const named = (results: readonly Judged[]): GoldenResult[] =>
        results.map((result) => ({ ...result, file, caseName: `${config} ${result.caseName}` }))
      return named(await judgeDecoder(decoderFrom(model.config, model), expected))
    } finally {
      model.close()
    }
  } catch (error) {
    return [
      {
        file,
        caseName: config,
        status: 'failed',
        detail: error instanceof Error ? error.message : String(error),
        compared: 0,
      },
    ]
  }
}

type Judged = Omit<GoldenResult, 'file'>

/** Uses the decoder up. */
async function judgeDecoder(decoder: Decoder, expected: Vectors): Promise<Judged[]> {
  const results: Judged[] = []
  const judge = (caseName: string, comparisons: readonly Comparison[]): void => {
    const detail = comparisons.flatMap(({ worst }) => (worst === null ? [] : [worst])).join('; ')
    results.push({
      caseName,
      status: detail === '' ? 'passed' : 'failed',
      detail,
      compared: comparisons.reduce((sum, { compared }) => sum + compared, 0),
    })
  }
  try {
    judge('parameters', [compareValues('parameters', decoder.shapes, expected.parameters, EXACT)])
    judge('right_padded', await checkLogits(decoder, expected, 'right_padded'))
    judge('left_padded', await checkLogits(decoder, expected, 'left_padded'))
    const count = expected.greedy.output.length - expected.greedy.prompt.length
    const [sampled] = await sampleCompletions(decoder, [expected.greedy.prompt], () => createRandom(1), {
      maxTokens: count,
      temperature: 0,
      endId: -1,
    })
    judge('greedy', [checkGreedy(sampled!.ids, expected)])
    judge('sft', await checkGradients(decoder, expected))
  } finally {
    decoder.dispose()
  }
  return results
}

/** The decoder's rows begin at their first real token; the vectors' columns are put where those stand. */
async function checkLogits(
  decoder: Decoder,
  expected: Vectors,
  side: 'right_padded' | 'left_padded',
): Promise<Comparison[]> {
  const { attention_mask: attention, per_token_logps: logProbs, ...more } = expected[side]
  const offsets = attention.map((mask) => mask.indexOf(1))
  const lengths = attention.map((mask) => mask.reduce((sum, value) => sum + value, 0))
  const tokens = shifted(expected.input_ids, attention, offsets)
  const scores = tf.tidy(() => decoder.logits(tokens))
  const logits = await scores.array()
  tf.dispose([scores, tokens.ids, tokens.attention, tokens.completion])
  const comparisons = attention.flatMap((_mask, r) => {
    const ours = Array.from({ length: lengths[r]! - 1 }, (_none, t) =>
      logSoftmax(logits[r]![t]!, expected.input_ids[r]![offsets[r]! + t + 1]!),
    )
    const wanted = logProbs[r]!.slice(offsets[r]!, offsets[r]! + lengths[r]! - 1)
    return [compareValues(`${side}.per_token_logps[${r}]`, ours, wanted, LOG_PROBS)]
  })
  const also = (name: string, actual: Value, wanted: Value | undefined): void => {
    if (wanted !== undefined) comparisons.push(compareValues(`${side}.${name}`, actual, wanted, LOGITS))
  }
  also('logits_row0', logits[0]!, more.logits_row0)
  also('logits_row1_last', logits[1]![lengths[1]! - 1]!, more.logits_row1_last_valid ?? more.logits_row1_last)
  const hidden = await hiddenRows(
    decoder,
    attention.map((_mask, r) => expected.input_ids[r]!.slice(offsets[r]!, offsets[r]! + lengths[r]!)),
  )
  also('last_hidden_row0_after_final_norm', hidden[0]!, more.last_hidden_row0_after_final_norm)
  also(
    'mean_pooled',
    hidden.map((states) =>
      states[0]!.map((_value, at) => states.reduce((sum, state) => sum + state[at]!, 0) / states.length),
    ),
    more.mean_pooled,
  )
  return comparisons
}

/** Hidden states of each row's tokens, after the final norm. */
async function hiddenRows(decoder: Decoder, rows: readonly (readonly number[])[]): Promise<number[][][]> {
  const packing = packSequences(rows)
  const tensor = tf.tidy(() => decoder.hiddenStates(packing))
  const states = await tensor.array()
  tensor.dispose()
  return rows.map((tokens, r) => tokens.map((_token, t) => states[packing.members[packing.offsets[r]! + t]!]!))
}

function shifted(
  ids: readonly (readonly number[])[],
  attention: readonly (readonly number[])[],
  offsets: readonly number[],
): TokenBatch {
  const move = (rows: readonly (readonly number[])[]): number[][] =>
    rows.map((row, r) => [...row.slice(offsets[r]!), ...Array.from({ length: offsets[r]! }, () => 0)])
  const mask = move(attention)
  return {
    ids: tf.tensor2d(move(ids), undefined, 'int32'),
    attention: tf.tensor2d(mask),
    completion: tf.tensor2d(mask),
  }
}

function logSoftmax(scores: readonly number[], label: number): number {
  const largest = Math.max(...scores)
  return scores[label]! - largest - Math.log(scores.reduce((sum, score) => sum + Math.exp(score - largest), 0))
}

/** Loss, gradients, and the loss after one step of plain gradient descent. */
async function checkGradients(decoder: Decoder, { input_ids: ids, sft }: Vectors): Promise<Comparison[]> {
  const tokens: TokenBatch = {
    ids: tf.tensor2d(ids, undefined, 'int32'),
    attention: tf.tensor2d(sft.attention_mask),
    completion: tf.tensor2d(sft.completion_mask),
  }
  const ones = tf.ones<tf.Rank.R1>([ids.length])
  const total = sft.completion_mask
    .flatMap((mask, r) => mask.slice(1).map((value, t) => value * sft.attention_mask[r]![t + 1]!))
    .reduce((sum, value) => sum + value, 0)
  const { before, after, norms, firsts } = await descendOnce(
    () => sftLoss(decoder.tokenLogProbs(tokens), ones, total),
    decoder.variables,
    0.05,
  )
  tf.dispose([tokens.ids, tokens.attention, tokens.completion, ones])
  return [
    compareValues('sft.loss_token_mean', before, sft.loss_token_mean, SINGLE),
    compareValues('sft.grad_l2_norm', norms, sft.grad_l2_norm, NORMS),
    compareValues('sft.grad_first4', firsts, sft.grad_first4, { absolute: 2e-5, relative: 1e-3 }),
    compareValues('sft.grad_total_norm', Math.hypot(...Object.values(norms)), sft.grad_total_norm, NORMS),
    compareValues('sft.loss_after_sgd', after, sft['loss_after_sgd_0.05'], SINGLE_LOOSE),
  ]
}

/** Token for token, until the reference itself was near a tie. */
function checkGreedy(output: readonly number[], { greedy }: Vectors): Comparison {
  const expected = greedy.output.slice(greedy.prompt.length)
  const unclear = greedy.top1_top2_margin.findIndex((margin) => margin <= CLEAR_MARGIN)
  const count = unclear < 0 ? expected.length : unclear
  return compareValues('greedy.output', output.slice(0, count), expected.slice(0, count), EXACT)
}
