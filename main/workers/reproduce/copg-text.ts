import { mean } from '../../../shared/statistics/intervals.ts'
import { disposeBatch, pairBatch, type PairRewards } from '../../core/learn/batches.ts'
import { completionLogProbs } from '../../core/learn/completion-log-probs.ts'
import { tagsFormat } from '../../core/learn/tokens/tags-format.ts'
import { type EncodedCompletion, type EncodedPair } from '../../core/learn/tokens/encode-rows.ts'
import type { Decoder } from '../../core/learn/models/decoder.ts'
import { createRandom, type Random } from '../../core/learn/random.ts'
import { findTextAlgorithm } from '../../core/learn/registry.ts'
import { standardise } from '../../core/learn/rewards.ts'
import { sampleCompletions } from '../../core/learn/sampling/sample.ts'
import type { Tokenizer } from '../../core/learn/tokens/tokenizer.ts'
import type { Reproduction } from './define.ts'
import { smallTalk, type SmallTalk, trueReward } from './small-talk.ts'
import { adam, copyDecoder, descend, nextTurn, pretrain } from './train-decoder.ts'
import {
  BATCH_PAIRS,
  LEARNING_RATE,
  MAX_TOKENS,
  type Method,
  METHODS,
  NAMES,
  type Point,
  reportOf,
  type SeedResult,
  type Size,
  type SweepRun,
} from './copg-text-report.ts'

export const SIZES: Readonly<Record<'quick' | 'full', Size>> = {
  quick: {
    seeds: 5,
    sentences: 2000,
    pretrainSteps: 200,
    samples: 4,
    betas: { copg: [0.03, 0.1, 0.3, 1], ipo: [0.003, 0.01, 0.03, 0.1], dpo: [0.1, 0.3, 1, 3] },
    steps: 48,
    evaluations: 3,
  },
  full: {
    seeds: 10,
    sentences: 6000,
    pretrainSteps: 600,
    samples: 4,
    betas: {
      copg: [0.01, 0.03, 0.1, 0.3, 1, 3],
      ipo: [0.001, 0.003, 0.01, 0.03, 0.1, 0.3],
      dpo: [0.03, 0.1, 0.3, 1, 3, 10],
    },
    steps: 160,
    evaluations: 5,
  },
}
/** Reward of generations, as the paper's Figure 2 compares methods, on a language model and rewards small enough for this machine. */
export const copgText: Reproduction = {
  async run({ form, seedCount, say }) {
    const size = SIZES[form]
    const seeds = Array.from({ length: seedCount ?? size.seeds }, (_none, at) => at + 1)
    const results: SeedResult[] = []
    for (const seed of seeds) {
      say(`seed ${seed}: pre-training`)
      results.push(await runSeed(seed, size, (text) => say(`seed ${seed}: ${text}`)))
    }
    return reportOf(form, seeds, size, results)
  },
}

async function runSeed(seed: number, size: Size, say: (text: string) => void): Promise<SeedResult> {
  const random = createRandom(seed)
  const talk = smallTalk(seed, size.sentences)
  const reference = await pretrain(
    'nano',
    talk.tokenizer,
    talk.rows,
    { steps: size.pretrainSteps, batchSize: 32, learningRate: 4e-3 },
    random.fork('pretrain'),
    nextTurn,
  )
  const logged = await loggedPairs(reference, talk, size.samples, random.fork('log'))
  const evaluate = (policy: Decoder, prompts: readonly string[]): Promise<Generated> =>
    generate(policy, reference, talk.tokenizer, prompts, createRandom(seed).fork('generate'))
  const before = await evaluate(reference, talk.prompts.report)
  const runs: SweepRun[] = []
  for (const method of METHODS) {
    for (const beta of size.betas[method]) {
      const policy = await copyDecoder(reference)
      const chosenBy: Point[] = []
      await trainPolicy(
        policy,
        method,
        beta,
        { logged, padId: talk.tokenizer.padId },
        size,
        random.fork(`${method} ${beta}`),
        async (step) => {
          const { reward, kl } = await evaluate(policy, talk.prompts.choose)
          chosenBy.push({ step, reward, kl })
        },
      )
      const end = await evaluate(policy, talk.prompts.report)
      runs.push({
        method,
        beta,
        chosenBy,
        reported: { step: size.steps, reward: end.reward, kl: end.kl },
        example: end.texts[0] ?? '',
      })
      policy.dispose()
    }
    say(`${NAMES[method]} done`)
  }
  reference.dispose()
  return { sft: before.reward, best: { prompt: talk.prompts.report[0] ?? '', before: before.texts[0] ?? '' }, runs }
}

export interface Logged {
  readonly pairs: readonly EncodedPair[]
  readonly rewards: readonly PairRewards[]
  readonly referenceOf: (one: EncodedCompletion) => ArrayLike<number>
  /** What rewards were divided by. */
  readonly scale: number
}

/** What a policy learns from: logged pairs, and in each batch so many that it has just written. */
export interface TrainingPairs {
  readonly logged: Logged
  readonly padId: number
  readonly fresh?: { readonly count: number; write(policy: Decoder, count: number): Promise<Logged> }
}

/** As logged in the experiment: unlike the policy that learns from them. */
export const LOG_TEMPERATURES = [1, 1.3] as const

/** Completions of the reference at these temperatures; scored, and every two of a prompt a pair. */
export async function loggedPairs(
  reference: Decoder,
  talk: SmallTalk,
  samples: number,
  random: Random,
  temperatures: readonly number[] = LOG_TEMPERATURES,
): Promise<Logged> {
  const { prompts } = talk
  const rows: EncodedCompletion[][] = prompts.train.map(() => [])
  const each = samples / temperatures.length
  for (const temperature of temperatures) {
    const asked = prompts.train.flatMap((prompt) => Array.from({ length: each }, () => prompt))
    const written = await complete(reference, talk.tokenizer, asked, temperature, (row) =>
      random.fork(`${temperature} ${row}`),
    )
    written.forEach((row, at) => rows[Math.floor(at / each)]!.push(row))
  }
  const { sd } = standardise(rows.flat().map((row) => trueReward(row.text)))
  return pairsOf(reference, talk.tokenizer, rows, prompts.train, sd === 0 ? 1 : sd)
}

async function complete(
  decoder: Decoder,
  tokenizer: Tokenizer,
  prompts: readonly string[],
  temperature: number,
  randomOf: (row: number) => Random,
): Promise<EncodedCompletion[]> {
  const encoded = prompts.map((prompt) => tagsFormat(tokenizer).prompt(prompt))
  const how = { maxTokens: MAX_TOKENS, temperature, endId: tokenizer.endId }
  const drawn = await sampleCompletions(decoder, encoded, randomOf, how, nextTurn)
  return drawn.map(({ ids }, at) => ({ prompt: encoded[at]!, completion: ids, text: tokenizer.decode(ids) }))
}

/** Two completions of each of so many prompts by the policy as it is, scored on the scale of the log. */
export async function freshPairs(
  policy: Decoder,
  reference: Decoder,
  { tokenizer, prompts }: SmallTalk,
  { count, scale, random }: { readonly count: number; readonly scale: number; readonly random: Random },
): Promise<Logged> {
  const asked = Array.from({ length: count }, () => prompts.train[random.int(prompts.train.length)]!)
  const twice = asked.flatMap((prompt) => [prompt, prompt])
  const written = await complete(policy, tokenizer, twice, 1, (row) => random.fork(String(row)))
  const rows = asked.map((_prompt, at) => written.slice(2 * at, 2 * at + 2))
  return pairsOf(reference, tokenizer, rows, asked, scale)
}

/** Every two completions of a prompt, the better one first. @param scale divides rewards */
async function pairsOf(
  reference: Decoder,
  tokenizer: Tokenizer,
  rows: readonly (readonly EncodedCompletion[])[],
  prompts: readonly string[],
  scale: number,
): Promise<Logged> {
  const all = rows.flat()
  const rewardOf = (row: EncodedCompletion): number => trueReward(row.text) / scale
  const logProbs = await completionLogProbs(reference, all, tokenizer.padId, nextTurn)
  const known = new Map(all.map((row, at) => [row, logProbs[at]!]))
  const paired = rows.flatMap((group, at) =>
    group.flatMap((first, i) => group.slice(i + 1).map((second) => ({ first, second, prompt: prompts[at]! }))),
  )
  const turned = paired.map(({ first, second, prompt }) =>
    rewardOf(first) >= rewardOf(second)
      ? { chosen: first, rejected: second, prompt }
      : { chosen: second, rejected: first, prompt },
  )
  return {
    pairs: turned.map(({ chosen, rejected, prompt }, at): EncodedPair => ({
      pairId: String(at),
      promptText: prompt,
      chosen,
      rejected,
      preference: rewardOf(chosen) > rewardOf(rejected) ? 1 : 0.5,
      strength: 1,
      weight: 1,
      swapped: false,
    })),
    rewards: turned.map(({ chosen, rejected }) => ({ chosen: rewardOf(chosen), rejected: rewardOf(rejected) })),
    referenceOf: (row) => known.get(row) ?? [],
    scale,
  }
}

export async function trainPolicy(
  policy: Decoder,
  method: Method,
  beta: number,
  { logged, padId, fresh }: TrainingPairs,
  { steps, evaluations }: Pick<Size, 'steps' | 'evaluations'>,
  random: Random,
  look: (step: number) => Promise<void>,
): Promise<void> {
  const algorithm = findTextAlgorithm(method)
  const config = algorithm.config.parse({ beta })
  const optimizer = adam(policy)
  const every = Math.max(1, Math.floor(steps / evaluations))
  for (let step = 1; step <= steps; step += 1) {
    const written = fresh === undefined ? null : await fresh.write(policy, fresh.count)
    const chosen = Array.from({ length: BATCH_PAIRS - (fresh?.count ?? 0) }, () => random.int(logged.pairs.length))
    const own = new Set(written?.pairs.flatMap((pair) => [pair.chosen, pair.rejected]))
    const batch = pairBatch(
      [...chosen.map((at) => logged.pairs[at]!), ...(written?.pairs ?? [])],
      padId,
      [...chosen.map((at) => logged.rewards[at]!), ...(written?.rewards ?? [])],
      (row) => (own.has(row) ? written! : logged).referenceOf(row),
    )
    await descend(policy, optimizer, LEARNING_RATE * Math.min(1, step / 5), () => ({
      ...algorithm.loss({
        network: policy,
        batch,
        totals: { items: BATCH_PAIRS, weight: BATCH_PAIRS, tokens: 1 },
        config,
      }),
      metrics: {},
    }))
    disposeBatch(batch)
    if (step % every === 0) await look(step)
    if (step % 10 === 0) await nextTurn()
  }
  optimizer.dispose()
}

interface Generated {
  readonly reward: number
  readonly kl: number
  readonly texts: readonly string[]
}

/** Two completions of each prompt at temperature 1, always with the same random numbers. */
export async function generate(
  policy: Decoder,
  reference: Decoder,
  tokenizer: Tokenizer,
  prompts: readonly string[],
  random: Random,
): Promise<Generated> {
  const encoded = prompts.flatMap((prompt) => [prompt, prompt]).map((prompt) => tagsFormat(tokenizer).prompt(prompt))
  const drawn = await sampleCompletions(
    policy,
    encoded,
    (row) => random.fork(String(row)),
    { maxTokens: MAX_TOKENS, temperature: 1, endId: tokenizer.endId },
    nextTurn,
  )
  const rows = drawn.map((one, at): EncodedCompletion => ({
    prompt: encoded[at]!,
    completion: one.ids,
    text: tokenizer.decode(one.ids),
  }))
  const other = await completionLogProbs(reference, rows, tokenizer.padId, nextTurn)
  const sum = (values: ArrayLike<number>): number => Array.from(values).reduce((total, value) => total + value, 0)
  return {
    reward: mean(rows.map((row) => trueReward(row.text))),
    kl: mean(drawn.map((one, at) => sum(one.logProbs) - sum(other[at]!))),
    texts: rows.map((row) => row.text),
  }
}
