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

const SIZES: Readonly<Record<'quick' | 'full', Size>> = {
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
  const { pairs, rewards, referenceOf } = await loggedPairs(reference, talk, size.samples, random.fork('log'))
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
        { pairs, rewards, referenceOf, padId: talk.tokenizer.padId },
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

interface Logged {
  readonly pairs: readonly EncodedPair[]
  readonly rewards: readonly PairRewards[]
  readonly referenceOf: (one: EncodedCompletion) => ArrayLike<number>
}

/** Completions of the reference at two temperatures, unlike the policy that learns from them; scored, and every two of a prompt a pair. */
async function loggedPairs(
  reference: Decoder,
  { tokenizer, prompts }: SmallTalk,
  samples: number,
  random: Random,
): Promise<Logged> {
  const rows: EncodedCompletion[][] = prompts.train.map(() => [])
  for (const temperature of [1, 1.3]) {
    const asked = prompts.train.flatMap((prompt) => Array.from({ length: samples / 2 }, () => prompt))
    const encoded = asked.map((prompt) => tagsFormat(tokenizer).prompt(prompt))
    const drawn = await sampleCompletions(
      reference,
      encoded,
      (row) => random.fork(`${temperature} ${row}`),
      { maxTokens: MAX_TOKENS, temperature, endId: tokenizer.endId },
      nextTurn,
    )
    drawn.forEach((one, at) =>
      rows[Math.floor(at / (samples / 2))]!.push({
        prompt: encoded[at]!,
        completion: one.ids,
        text: tokenizer.decode(one.ids),
      }),
    )
  }
  const all = rows.flat()
  const scale = standardise(all.map((row) => trueReward(row.text)))
  const rewardOf = (row: EncodedCompletion): number => trueReward(row.text) / (scale.sd === 0 ? 1 : scale.sd)
  const logProbs = await completionLogProbs(reference, all, tokenizer.padId, nextTurn)
  const known = new Map(all.map((row, at) => [row, logProbs[at]!]))
  const paired = rows.flatMap((group, at) =>
    group.flatMap((first, i) => group.slice(i + 1).map((second) => ({ first, second, prompt: prompts.train[at]! }))),
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
  }
}

async function trainPolicy(
  policy: Decoder,
  method: Method,
  beta: number,
  data: Logged & { readonly padId: number },
  { steps, evaluations }: Size,
  random: Random,
  look: (step: number) => Promise<void>,
): Promise<void> {
  const algorithm = findTextAlgorithm(method)
  const config = algorithm.config.parse({ beta })
  const optimizer = adam(policy)
  const every = Math.max(1, Math.floor(steps / evaluations))
  for (let step = 1; step <= steps; step += 1) {
    const chosen = Array.from({ length: BATCH_PAIRS }, () => random.int(data.pairs.length))
    const batch = pairBatch(
      chosen.map((at) => data.pairs[at]!),
      data.padId,
      chosen.map((at) => data.rewards[at]!),
      data.referenceOf,
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
async function generate(
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
