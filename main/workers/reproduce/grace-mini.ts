import { mean } from '../../../shared/statistics/intervals.ts'
import { contrastLogits, diagonalCrossEntropy } from '../../core/learn/algorithms/infonce.ts'
import { disposeBatch, groupBatch } from '../../core/learn/batches.ts'
import {
  advantageGroups,
  type GraceInstance,
  type GraceOptions,
  graceRound,
  graceStepLoss,
} from '../../core/learn/embed/grace-rollouts.ts'
import type { Decoder } from '../../core/learn/models/decoder.ts'
import { createRandom, type Random } from '../../core/learn/random.ts'
import { measureRanking, rankByScore } from '../../core/learn/ranking/ranking-metrics.ts'
import {
  embedSpans,
  embedSpanValues,
  plainPrompt,
  type RationalePrompt,
  spanOf,
} from '../../core/learn/embed/rationale.ts'
import { sampleCompletions } from '../../core/learn/sampling/sample.ts'
import { tf } from '../../core/learn/tf.ts'
import type { Reproduction } from './define.ts'
import { namesTopic, topicWorld, type TopicWorld } from './topic-world.ts'
import { adam, copyDecoder, descend, lossOn, nextTurn, pretrain } from './train-decoder.ts'
import {
  FIRST_SEED,
  LEARNING_RATES,
  MAX_TOKENS,
  type Quality,
  reportOf,
  type SeedResult,
  type Size,
} from './grace-mini-report.ts'

export const SIZES: Readonly<Record<'quick' | 'full', Size>> = {
  quick: { seeds: 5, pretrainSteps: 250, steps: 60, instances: 8, rollouts: 4, queries: 32, documents: 64, looks: 4 },
  full: {
    seeds: 10,
    pretrainSteps: 600,
    steps: 150,
    instances: 16,
    rollouts: 8,
    queries: 64,
    documents: 160,
    looks: 5,
  },
}
/** GRACE on a generator that is small enough to be trained here: its rationales name a text's topic, at first often wrongly. */
export const graceMini: Reproduction = {
  async run({ form, seedCount, say }) {
    const size = SIZES[form]
    const seeds = Array.from({ length: seedCount ?? size.seeds }, (_none, at) => at + FIRST_SEED)
    const results: SeedResult[] = []
    for (const seed of seeds) results.push(await runSeed(seed, size, (text) => say(`seed ${seed}: ${text}`)))
    return reportOf(form, seeds, size, results)
  },
}

/** The texts of a seed, and a decoder that has learned to say what they are about. */
export async function graceBase(
  seed: number,
  size: Pick<Size, 'queries' | 'documents' | 'pretrainSteps'>,
  random: Random,
): Promise<{ readonly world: TopicWorld; readonly base: Decoder }> {
  const world = topicWorld(seed, { pretraining: 1600, triples: 400, queries: size.queries, documents: size.documents })
  const base = await pretrain(
    'nano',
    world.tokenizer,
    world.pretraining,
    { steps: size.pretrainSteps, batchSize: 32, learningRate: 4e-3 },
    random.fork('pretrain'),
    nextTurn,
  )
  return { world, base }
}

async function runSeed(seed: number, size: Size, say: (text: string) => void): Promise<SeedResult> {
  const random = createRandom(seed)
  say('pre-training')
  const { world, base } = await graceBase(seed, size, random)
  const judge = (decoder: Decoder, how: Judging): Promise<Quality & Written> =>
    qualityOf(decoder, world, how, createRandom(seed).fork('judge'))
  const before = await judge(base, 'with rationale')
  const plain = await judge(base, 'plain')
  say('GRACE')
  const policy = await copyDecoder(base)
  const curve: { step: number; margin: number }[] = [{ step: 0, margin: before.margin }]
  await trainGrace(policy, world, size, random.fork('grace'), async (step) => {
    curve.push({ step, margin: (await judge(policy, 'with rationale')).margin })
  })
  const after = await judge(policy, 'with rationale')
  const only = await judge(policy, 'rationale alone')
  say('InfoNCE')
  const contrasted = await copyDecoder(base)
  await trainInfoNce(contrasted, world, size, random.fork('infonce'))
  const infonce = await judge(contrasted, 'plain')
  const infonceRationale = await judge(contrasted, 'with rationale')
  const held = world.heldOut.pretraining
  const lmLoss = {
    base: await lossOn(base, held, world.tokenizer.padId),
    grace: await lossOn(policy, held, world.tokenizer.padId),
    infonce: await lossOn(contrasted, held, world.tokenizer.padId),
  }
  const task = {
    base: await taskScore(base, world),
    grace: await taskScore(policy, world),
    infonce: await taskScore(contrasted, world),
  }
  for (const decoder of [base, policy, contrasted]) decoder.dispose()
  const examples = world.heldOut.documents.slice(0, 6).map(({ text, topic }, at) => ({
    text,
    topic,
    before: before.rationales[at] ?? '',
    after: after.rationales[at] ?? '',
  }))
  return {
    plain,
    base: before,
    grace: after,
    graceRationaleOnly: only,
    infonce,
    infonceRationale,
    task,
    lmLoss,
    curve,
    examples,
  }
}

export type Judging = 'plain' | 'with rationale' | 'rationale alone'

interface Written {
  /** Of the documents. */
  readonly rationales: readonly string[]
  /** Of each text, queries first, whether its rationale names the text's topic; empty where none was written. */
  readonly named: readonly boolean[]
}

/** @param maxTokens of a rationale: what may be written before it is embedded */
export async function qualityOf(
  decoder: Decoder,
  world: TopicWorld,
  how: Judging,
  random: Random,
  maxTokens = MAX_TOKENS,
): Promise<Quality & Written> {
  const { queries, documents } = world.heldOut
  const all = [...queries, ...documents]
  const prompts = all.map(({ text }): RationalePrompt =>
    how === 'plain' ? plainPrompt(world.tokenizer, world.format, text, 64) : world.prompt(text),
  )
  const drawn =
    how === 'plain'
      ? []
      : await sampleCompletions(
          decoder,
          prompts.map((prompt) => prompt.ids),
          (row) => random.fork(String(row)),
          { maxTokens, temperature: 1, endId: world.tokenizer.endId },
          nextTurn,
        )
  const rows = prompts.map((prompt, at) =>
    spanOf(prompt, drawn[at]?.ids ?? [], how === 'rationale alone' ? 'rationale' : 'after-system'),
  )
  const vectors = (await embedSpanValues(decoder, rows, nextTurn)).map(unit)
  const rationales = drawn.map((one) => world.tokenizer.decode(one.ids))
  const named = rationales.map((rationale, at) => namesTopic(rationale, all[at]!.topic))
  const places = documents.map((_one, at) => String(at).padStart(4, '0'))
  const margins: number[] = []
  const gains: number[] = []
  for (const [at, query] of queries.entries()) {
    const scores = documents.map((_document, d) => dot(vectors[at]!, vectors[queries.length + d]!))
    const relevant = documents.map((document) => (document.topic === query.topic ? 1 : 0))
    margins.push(
      mean(scores.filter((_score, d) => relevant[d] === 1)) - mean(scores.filter((_score, d) => relevant[d] === 0)),
    )
    gains.push(
      measureRanking(
        rankByScore(scores, places).map((d) => relevant[d]!),
        [],
        10,
      ).ndcgLinear,
    )
  }
  return {
    margin: mean(margins),
    ndcg: mean(gains),
    right: how === 'plain' ? null : mean(named.map(Number)),
    rationales: rationales.slice(queries.length),
    named,
  }
}

/** The generative task of this model: name the topic, likeliest token by likeliest token. */
async function taskScore(decoder: Decoder, world: TopicWorld): Promise<number> {
  const all = [...world.heldOut.queries, ...world.heldOut.documents]
  const drawn = await sampleCompletions(
    decoder,
    all.map(({ text }) => world.prompt(text).ids),
    () => createRandom(0),
    { maxTokens: MAX_TOKENS, temperature: 0, endId: world.tokenizer.endId },
    nextTurn,
  )
  return mean(all.map(({ topic }, at) => (namesTopic(world.tokenizer.decode(drawn[at]!.ids), topic) ? 1 : 0)))
}

/** The paper's own settings but for sizes, and the learning rate of a model four orders of magnitude smaller. */
export const MINI_GRACE: GraceOptions = {
  rollouts: 4,
  maxTokens: MAX_TOKENS,
  temperature: 1,
  anchorTemperature: 0.5,
  weights: { consistency: 0.2, hard: 0.2, temperature: 0.1 },
  span: 'after-system',
  hardTerm: 'instance',
  unfinishedReward: -1,
}

export function instancesOf(world: TopicWorld, chosen: readonly number[]): GraceInstance[] {
  return chosen.map((at) => {
    const { query, positive, negative } = world.train[at]!
    return {
      query: world.prompt(query.text),
      positive: world.prompt(positive.text),
      negatives: [world.prompt(negative.text)],
    }
  })
}

/** @param changes to the settings of the experiment @param supervised whether an instance has its positive, or its query alone */
export async function trainGrace(
  policy: Decoder,
  world: TopicWorld,
  size: Pick<Size, 'steps' | 'instances' | 'rollouts' | 'looks'>,
  random: Random,
  look: (step: number) => Promise<void>,
  { changes = {}, supervised = true }: { readonly changes?: Partial<GraceOptions>; readonly supervised?: boolean } = {},
): Promise<void> {
  const options = { ...MINI_GRACE, rollouts: size.rollouts, ...changes }
  const optimizer = adam(policy)
  const { padId } = world.tokenizer
  for (let step = 1; step <= size.steps; step += 1) {
    const chosen = Array.from({ length: size.instances }, () => random.int(world.train.length))
    const round = await graceRound(
      policy,
      instancesOf(world, chosen).map((one) => (supervised ? one : { ...one, positive: null })),
      options,
      world.tokenizer,
      random.fork(String(step)),
      nextTurn,
    )
    const batch = groupBatch(advantageGroups(round), options.rollouts, padId, null)
    const tokens = round.rollouts.flat().reduce((sum, one) => sum + one.row.completion.length, 0)
    await descend(policy, optimizer, LEARNING_RATES.grace * Math.min(1, step / 5), () =>
      graceStepLoss(
        policy,
        batch,
        { items: size.instances, weight: size.instances, tokens },
        { objective: 'clipped', clip: 0.2, dual: 3 },
      ),
    )
    disposeBatch(batch)
    if (step % Math.max(1, Math.floor(size.steps / size.looks)) === 0) await look(step)
  }
  optimizer.dispose()
}

/** The same decoder, pooled without a rationale, all weights trained: in-batch and hard negatives, cosine, τ 0.05. */
async function trainInfoNce(decoder: Decoder, world: TopicWorld, size: Size, random: Random): Promise<void> {
  const optimizer = adam(decoder)
  const row = (text: string): ReturnType<typeof spanOf> =>
    spanOf(plainPrompt(world.tokenizer, world.format, text, 64), [], 'after-system')
  for (let step = 1; step <= size.steps; step += 1) {
    const triples = Array.from({ length: 2 * size.instances }, () => world.train[random.int(world.train.length)]!)
    const n = triples.length
    const rows = [
      ...triples.map((one) => row(one.query.text)),
      ...triples.map((one) => row(one.positive.text)),
      ...triples.map((one) => row(one.negative.text)),
    ]
    // Of the batch's other positives those of the same topic are no negatives.
    const same = triples.map((one, i) =>
      triples.map((other, j) => (i !== j && one.query.topic === other.positive.topic ? 1 : 0)),
    )
    await descend(decoder, optimizer, LEARNING_RATES.infonce * Math.min(1, step / 5), () => {
      const vectors = embedSpans(decoder, rows)
      const part = (at: number): tf.Tensor2D => tf.slice(vectors, [at * n, 0], [n, vectors.shape[1]])
      const logits = contrastLogits(part(0), part(1), tf.expandDims(part(2), 1) as tf.Tensor3D, tf.tensor2d(same), {
        temperature: 0.05,
        similarity: 'cosine',
        hardNegatives: 'own',
      })
      return { loss: tf.mean(diagonalCrossEntropy(logits)) as tf.Scalar, metrics: {} }
    })
    if (step % 10 === 0) await nextTurn()
  }
  optimizer.dispose()
}

function unit(vector: Float32Array): Float32Array {
  const length = Math.hypot(...vector) || 1
  return vector.map((value) => value / length)
}

function dot(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, value, at) => sum + value * b[at]!, 0)
}
