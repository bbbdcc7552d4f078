// GRACE: contrastive signals as the reward for rationales (arXiv 2510.04506)
import { z } from 'zod'
import { forPretrained } from '../pretrained-presets.ts'
import { chunked, groupsOfPart, groupTotals } from '../batch-totals.ts'
import { groupBatch } from '../batches.ts'
import { defineContrastMethod, type ContrastContext, type ContrastItem } from '../embed/contrast.ts'
import { EMBED_INFO } from '../embed/embed-metrics.ts'
import { advantageGroups, graceRound, graceStepLoss, type GraceRound } from '../embed/grace-rollouts.ts'
import { groupLoad } from '../training-load.ts'
import { embedSpanValues, lookedTokens, RATIONALE_SYSTEM, spanOf, type RationalePrompt } from '../embed/rationale.ts'
import { ROLLOUT_INFO } from '../sampling/rollout.ts'
import { sampleCompletions } from '../sampling/sample.ts'

const config = z.strictObject({
  groupSize: z
    .int()
    .min(2)
    .max(64)
    .default(8)
    .meta({ title: 'Rollouts', symbol: 'K', help: 'Rationales written for each positive text.', group: 'main' }),
  consistency: z.number().min(0).max(10).default(0.2).meta({
    title: 'Consistency',
    symbol: 'λ₁',
    help: 'Weight of the agreement between the rollouts of a text. Much of it invites rollouts that are all the same.',
    group: 'main',
  }),
  hard: z.number().min(0).max(10).default(0.2).meta({
    title: 'Hard term',
    symbol: 'λ₂',
    help: 'Weight of the distance from other instances. As printed it has no effect on the advantages.',
    group: 'main',
  }),
  tau: z.number().positive().max(10).default(0.1).meta({
    title: 'Temperature of the reward',
    symbol: 'τ',
    help: 'Rewards are divided by it; without division by a deviation it scales the step.',
    group: 'main',
  }),
  hardTerm: z.enum(['instance', 'rollout']).default('instance').meta({
    title: 'Hard term is',
    help: 'Of the instance, as printed; or of each rollout: with queries, minus the largest similarity to another query (ours); without, minus the mean similarity to other anchors (the official code).',
    group: 'main',
  }),
  supervision: z.enum(['triples', 'none']).default('triples').meta({
    title: 'Supervision',
    help: 'Queries with positives and negatives; or none: the anchor of a text is one more rationale of it.',
    group: 'main',
  }),
  negatives: z
    .int()
    .min(0)
    .max(16)
    .default(1)
    .meta({ title: 'Negatives', symbol: 'M', help: 'Of each query, at most.', group: 'expert' }),
  span: z.enum(['after-system', 'rationale']).default('after-system').meta({
    title: 'Pooled tokens',
    help: 'Everything after the system prompt, as in the paper; or the rationale alone, an ablation.',
    group: 'expert',
  }),
  objective: z.enum(['clipped', 'sum']).default('clipped').meta({
    title: 'Objective',
    help: 'The official code’s clipped surrogate, a mean over tokens; or the printed sum over the sequence.',
    group: 'expert',
  }),
  clipRatio: z
    .number()
    .positive()
    .lt(1)
    .default(0.2)
    .meta({ title: 'Clip', symbol: 'ε', help: 'How far the ratio to the writing policy counts.', group: 'expert' }),
  dualClip: z.number().gt(1).max(100).default(3).meta({
    title: 'Dual clip',
    symbol: 'c',
    help: 'Bound of the loss where the advantage is negative.',
    group: 'expert',
  }),
  unfinishedPenalty: z.boolean().default(true).meta({
    title: 'Unfinished is −1',
    help: 'A rollout that does not end gets −1 in place of its reward. With rewards below −1 that is a prize and not a penalty.',
    group: 'expert',
  }),
  rolloutTokens: z
    .int()
    .min(1)
    .max(4096)
    .default(64)
    .meta({ title: 'Longest rationale', unit: 'tokens', help: 'The paper’s is 2,048.', group: 'main' }),
  rolloutTemperature: z
    .number()
    .positive()
    .max(10)
    .default(1)
    .meta({ title: 'Roll-out temperature', help: 'Of the rollouts that are learned from.', group: 'expert' }),
  anchorTemperature: z.number().min(0).max(10).default(0.5).meta({
    title: 'Anchor temperature',
    help: 'Of the rationales of queries and negatives, written once each.',
    group: 'expert',
  }),
  system: z
    .string()
    .min(1)
    .max(4000)
    .default(RATIONALE_SYSTEM)
    .meta({ title: 'System prompt', help: 'What asks for the rationale.', group: 'expert' }),
})
type GraceConfig = z.infer<typeof config>

/** P(x), with room for the longest rationale. */
function promptOf({
  format,
  maxLength,
  config: { system, rolloutTokens },
}: ContrastContext<GraceConfig>): (text: string) => RationalePrompt {
  return (text) => format.asked(system, text, Math.max(16, maxLength - rolloutTokens))
}

/** @param label of the random numbers that write: the same label writes the same */
function writeRound(
  context: ContrastContext<GraceConfig>,
  items: readonly ContrastItem[],
  label: string,
): Promise<GraceRound> {
  const { config: settings, decoder, tokenizer } = context
  const prompt = promptOf(context)
  const instances = items.map((item) => ({
    query: prompt(item.query),
    positive: item.positive === null ? null : prompt(item.positive),
    negatives: item.negatives.map(prompt),
  }))
  const options = {
    rollouts: settings.groupSize,
    maxTokens: settings.rolloutTokens,
    temperature: settings.rolloutTemperature,
    anchorTemperature: settings.anchorTemperature,
    weights: { consistency: settings.consistency, hard: settings.hard, temperature: settings.tau },
    span: settings.span,
    hardTerm: settings.hardTerm,
    unfinishedReward: settings.unfinishedPenalty ? -1 : null,
  }
  return graceRound(decoder, instances, options, tokenizer, context.random(label), context.breathe)
}

export const grace = defineContrastMethod({
  id: 'grace',
  name: 'GRACE',
  summary: 'Writes a rationale, is rewarded for the embedding it makes',
  paper: { cite: 'GRACE, 2025', url: 'https://arxiv.org/abs/2510.04506' },
  vectors: ['grace', 'grpo_ppo'],
  equation:
    'R = (sim(h_q, h_k) − Σ sim(h_q, h_d⁻) + λ₁·mean sim(h_k, h_j) + λ₂·R_hard)/τ,   A_k = R_k − mean R,   L = −Σ A_k log π(y_k | P(d⁺))',
  deviations: [
    'The system prompt ends where two texts part that begin otherwise, or, in Pairlab’s own layout, by tokenizing the parts apart; the official code looks for the text’s tokens.',
    'A system prompt in our words.',
    'One update on each set of rationales, strictly on-policy; the official code makes four mini-batches of a batch, the later ones slightly off-policy.',
    'As printed, the similarity to negatives and the hard term are the same for all rollouts of a text and cancel in the advantages; “of each rollout” is an extension of ours that does not.',
    'An unfinished rollout’s reward is −1 as in the official code; its frequency is reported.',
    'Every instance takes as many negatives as the one with the fewest has, up to the number asked for.',
  ],
  data: 'contrast-groups',
  role: 'policy',
  models: ['decoder'],
  needsReference: false,
  config,
  metrics: [
    {
      name: 'loss',
      label: 'Loss',
      unit: '',
      goal: 'none',
      help: 'The policy-gradient surrogate. Advantages of a group add up to 0, so it stays near 0: read the reward.',
    },
    { name: 'clip/share', label: 'Clipped tokens', unit: 'fraction', goal: 'none', help: '0 on fresh samples.' },
    {
      name: 'grace/reward',
      label: 'Reward',
      unit: '',
      goal: 'max',
      help: 'Mean reward of the rollouts, divided by τ. It rises; all parts together.',
    },
    {
      name: 'grace/positive',
      label: 'Similarity to the query',
      unit: 'cosine',
      goal: 'max',
      help: 'sim(h_q, h_k). For an untrained model it stands near 1 for everything, and differences are in the third decimal.',
    },
    {
      name: 'grace/margin',
      label: 'Margin of rollouts',
      unit: 'cosine',
      goal: 'max',
      help: 'Similarity of query and rollout, less that of query and negatives. It should rise; if both similarities rise together, rationales are losing their content.',
    },
    {
      name: 'grace/contrast',
      label: 'Contrastive term',
      unit: 'cosine',
      goal: 'max',
      help: 'As in the reward: similarity to the query less the sum over negatives.',
    },
    {
      name: 'grace/consistency',
      label: 'Consistency term',
      unit: 'cosine',
      goal: 'none',
      help: 'Similarity between the rollouts of a text. At 1 they are all the same.',
    },
    {
      name: 'grace/hard',
      label: 'Hard term',
      unit: 'cosine',
      goal: 'none',
      help: 'Minus the similarity to other instances.',
    },
    {
      name: 'grace/distinct',
      label: 'Distinct rollouts',
      unit: 'fraction',
      goal: 'none',
      help: 'Share of a text’s rollouts that differ in any token. Near 1/K they have collapsed.',
    },
    {
      name: 'advantages/size',
      label: 'Size of advantages',
      unit: 'reward',
      goal: 'none',
      help: 'Mean of |A|. Where it is 0 nothing is learned.',
    },
    ...ROLLOUT_INFO.filter(
      ({ name }) => name === 'rollout/tokens' || name === 'rollout/unfinished' || name === 'rollout/entropy',
    ),
    ...EMBED_INFO,
  ],
  mainMetric: 'eval/embed/ndcg',
  presets: [
    {
      id: 'small',
      title: 'Small model',
      suits: ['new'],
      note: 'For models that were made here, from a finished run. A healthy run: reward and margin rise together, distinct rollouts stay above a half, entropy falls slowly, lengths hold. Similarities that all go to 1 with rollouts that are all the same is collapse: a lower λ₁, a lower learning rate, or the hard term of each rollout.',
      config: { groupSize: 4, rolloutTokens: 32 },
      training: {
        steps: 60,
        batchSize: 8,
        learningRate: 3e-4,
        warmupFraction: 0.05,
        schedule: 'constant',
        maxLength: 192,
      },
    },
    ...forPretrained('policy-gradient', { groupSize: 4, rolloutTokens: 128 }),
    {
      id: 'paper',
      title: 'GRACE paper',
      note: 'K 8, λ₁ = λ₂ = 0.2, τ 0.1, learning rate 1e-6, batch 64, two epochs, prompts to 1,024 and rationales to 2,048 tokens, on models of 1.5 to 4 billion parameters.',
      config: { groupSize: 8, rolloutTokens: 2048 },
      training: {
        steps: 3000,
        batchSize: 64,
        learningRate: 1e-6,
        warmupFraction: 0,
        schedule: 'constant',
        maxLength: 3072,
      },
    },
  ],
  learnsFrom: ({ supervision, negatives }) => (supervision === 'none' ? 'texts' : { negatives }),
  load({ groupSize, rolloutTokens, negatives }, training) {
    const load = groupLoad(groupSize, training, { maxTokens: rolloutTokens }, training.batchSize * negatives)
    return { ...load, looked: lookedTokens }
  },
  async update(step) {
    const { config: settings, tokenizer } = step
    const round = await writeRound(step, step.items, 'rationales')
    const groups = advantageGroups(round)
    const chunks = chunked(Array.from(groups.keys()), groupsOfPart(step.microBatchSize, settings.groupSize))
    const parts = {
      count: chunks.length,
      totals: groupTotals(groups),
      make: (part: number) =>
        groupBatch(
          (chunks[part] ?? []).map((index) => groups[index]!),
          settings.groupSize,
          tokenizer.padId,
          null,
        ),
    } // indices of groups
    const metrics = await step.minimizeParts(parts, (batch, totals) =>
      graceStepLoss(step.decoder, batch, totals, {
        objective: settings.objective,
        clip: settings.clipRatio,
        dual: settings.dualClip,
      }),
    )
    return {
      metrics: { ...metrics, ...round.metrics },
      tokens: round.rollouts.flat().reduce((sum, { row }) => sum + row.prompt.length + row.completion.length, 0),
    }
  },
  async embed(context, texts) {
    const { config: settings, decoder, tokenizer } = context
    const prompts = texts.map(promptOf(context))
    const random = context.random('held-out rationales')
    let ended = 0
    const written = await sampleCompletions(
      decoder,
      prompts.map((prompt) => prompt.ids),
      (row) => random.fork(String(row)),
      {
        maxTokens: settings.rolloutTokens,
        temperature: settings.rolloutTemperature,
        endId: tokenizer.endId,
        stopIds: tokenizer.stopIds,
      },
      // Writing is nearly all of the work.
      {
        breathe: () => context.breathe(ended),
        onToken(_row, { last }) {
          if (last) ended += 1
        },
      },
    )
    return embedSpanValues(
      decoder,
      prompts.map((prompt, at) => spanOf(prompt, written[at]!.ids, settings.span)),
      () => context.breathe(),
    )
  },
  async write(context, items) {
    const round = await writeRound(context, items, 'samples')
    return round.rollouts.flatMap((row, at) =>
      row.map((one) => ({
        item: items[at]!,
        tokens: one.row.completion,
        reward: one.reward,
        parts: { ...one.terms, advantage: one.advantage },
      })),
    )
  },
})
