// Simple Preference Optimization (Meng, Xia and Chen, NeurIPS 2024), arXiv 2405.14734
import { z } from 'zod'
import { invariant } from '../../../../shared/assert.ts'
import { defineAlgorithm } from '../define.ts'
import { completionLengths, meanOverTokens, sequenceLogProbs, softplus, splitPairs, weightedShare } from '../ops.ts'
import { LOG_PROB_INFO, logProbMetrics, lossInfo, REWARD_INFO, rewardMetrics } from '../pair-metrics.ts'
import { BY_STRENGTH, BY_WEIGHT, SMALL_MODEL } from '../pair-page.ts'
import { forPretrained } from '../pretrained-presets.ts'
import { overLabel, softPreference, useStrength } from '../preference-strength.ts'
import { tf } from '../tf.ts'

export interface SimpoOptions {
  readonly beta: number
  /** γ/β, the target in nats a token: a difference of log-probs and not of rewards. */
  readonly gammaRatio: number
  /** ε: how often a label is taken to be wrong. */
  readonly labelSmoothing: number
}

/**
 * Eq. 6 with Δ = log π(y⁺)/|y⁺| − log π(y⁻)/|y⁻|, z(Δ) = βΔ − γ, and p = P(y⁺ preferred):
 *   L(Δ) = −(1 − ε) log σ(z(Δ)) − ε log σ(−z(Δ)),   loss = p L(Δ) + (1 − p) L(−Δ)
 * Smoothing turns the whole of z, the target included, as the authors' code and TRL do; a soft label turns Δ alone, so
 * that each side would have to lead by the same target.
 * @param difference Δ [pair]   @param preference p [pair]   @returns loss of each pair [pair]
 */
export function simpoLoss(
  difference: tf.Tensor1D,
  preference: tf.Tensor1D,
  { beta, gammaRatio, labelSmoothing }: SimpoOptions,
): tf.Tensor1D {
  const oneWay = (lead: tf.Tensor1D): tf.Tensor1D => {
    const logit = tf.mul(tf.sub(lead, gammaRatio), beta)
    return tf.add(
      tf.mul(softplus(tf.neg(logit)), 1 - labelSmoothing),
      tf.mul(softplus(logit), labelSmoothing),
    ) as tf.Tensor1D
  }
  return overLabel(preference, oneWay(difference), oneWay(tf.neg(difference)))
}

const REWARD_HELP: Readonly<Record<string, string>> = {
  'rewards/chosen':
    'β times the mean log-prob of a token of the preferred completions. It starts below 0 and need not rise, as long as the other side falls faster.',
  'rewards/margins':
    'Reward of the preferred completion minus that of the other. It should rise past the target margin γ; the held-out curve flattens earlier.',
  'rewards/accuracies':
    'How often the preferred completion is likelier per token. A tie counts one half. There is no reference, so that an untrained policy need not stand at 0.5.',
}

export const simpo = defineAlgorithm({
  id: 'simpo',
  name: 'SimPO',
  summary: 'Preferred against other per token, by a margin, without a reference',
  paper: { cite: 'Meng et al., NeurIPS 2024', url: 'https://arxiv.org/abs/2405.14734' },
  vectors: ['simpo'],
  equation: 'L = −log σ(β/|y⁺| log π(y⁺) − β/|y⁻| log π(y⁻) − γ)',
  deviations: [
    'The target is set as γ/β, as in the authors’ code (gamma_beta_ratio), so that γ grows with β. TRL’s CPOTrainer with loss_type simpo sets γ itself (simpo_gamma 0.5, at a β of 0.1) and adds a likelihood term unless cpo_alpha is 0; here, as in the paper, there is none.',
    'The defaults are β 2 and γ/β 0.5, where the authors advise to begin; their code’s own default is 0.25.',
    'Label smoothing as in both: (1 − ε)·L(z) + ε·L(−z), the target turned with the rest.',
    'A soft label p, from a tie or from annotators who differ, gives p·L(Δ) + (1 − p)·L(−Δ), each side against the target; with p = 1 this is the paper’s loss.',
    BY_STRENGTH,
    BY_WEIGHT,
    'The length |y| counts the end-of-turn token, whose log-prob is in the sum. The hinge in place of log σ, a choice in the authors’ code, is left out.',
  ],
  data: 'response-pairs',
  role: 'policy',
  needsReference: false,
  config: z.strictObject({
    beta: z.number().positive().max(100).default(2).meta({
      title: 'Scale of the reward',
      symbol: 'β',
      help: 'Of the mean log-prob of a token. Much larger than that of DPO: 2 to 2.5 in the paper, up to 10 in later use.',
      group: 'main',
    }),
    gammaRatio: z.number().min(0).max(10).default(0.5).meta({
      title: 'Target margin',
      symbol: 'γ/β',
      unit: 'nats per token',
      help: 'By how much the preferred completion should be likelier per token. The authors search between 0 and 1.',
      group: 'main',
    }),
    labelSmoothing: z.number().min(0).lt(0.5).default(0).meta({
      title: 'Label smoothing',
      symbol: 'ε',
      help: 'The share of labels taken to be wrong; 0 trusts every label.',
      group: 'expert',
    }),
    useStrength: useStrength(),
  }),
  metrics: [
    lossInfo(
      'nats',
      'Mean SimPO loss. Where both completions are equally likely per token it is log(1 + e^γ), 1.31 by default, and falls.',
    ),
    ...REWARD_INFO.map((info) => ({ ...info, help: REWARD_HELP[info.name] ?? info.help })),
    ...LOG_PROB_INFO,
  ],
  mainMetric: 'eval/rewards/accuracies',
  presets: [
    {
      id: 'small',
      title: 'Small model',
      suits: ['new'],
      note: 'For Pairlab’s own models of up to a few million parameters. Nothing holds the policy to where it began: watch the log-prob of the preferred side and the samples.',
      config: { beta: 2, gammaRatio: 0.5 },
      training: SMALL_MODEL,
    },
    ...forPretrained('preference', { beta: 2, gammaRatio: 0.5 }),
    {
      id: 'paper',
      title: 'SimPO paper',
      note: 'Meng et al. (2024), Llama 3 base of 8 B on UltraFeedback: β 2, γ/β 0.5, Adam at 6e-7, batch 128, one epoch, 10 % warm-up.',
      config: { beta: 2, gammaRatio: 0.5 },
      training: {
        steps: 478,
        batchSize: 128,
        learningRate: 6e-7,
        warmupFraction: 0.1,
        schedule: 'cosine',
        maxLength: 2048,
      },
    },
    {
      id: 'paper-instruct',
      title: 'SimPO paper, instruct',
      note: 'The same from the instruct model: β 2.5, γ/β 0.55, Adam at 1e-6.',
      config: { beta: 2.5, gammaRatio: 0.55 },
      training: {
        steps: 478,
        batchSize: 128,
        learningRate: 1e-6,
        warmupFraction: 0.1,
        schedule: 'cosine',
        maxLength: 2048,
      },
    },
  ],
  loss({ network, batch, totals, config }) {
    invariant(batch.kind === 'pairs', 'SimPO gets pairs')
    const logProbs = network.tokenLogProbs(batch.tokens)
    const perToken = meanOverTokens(sequenceLogProbs(logProbs), completionLengths(batch.tokens))
    const [chosen, rejected] = splitPairs(perToken, batch.pairs)
    const perPair = simpoLoss(tf.sub(chosen, rejected), softPreference(batch, config.useStrength), config)
    const loss = weightedShare(perPair, batch.weight, totals.weight)
    const rewards = tf.mul(perToken, config.beta) as tf.Tensor1D
    return {
      loss,
      metrics: { loss, ...rewardMetrics({ batch, totals, rewards }), ...logProbMetrics(batch, totals, logProbs) },
    }
  },
})
