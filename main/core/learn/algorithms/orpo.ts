// Odds Ratio Preference Optimization (Hong, Lee and Thorne, EMNLP 2024), arXiv 2403.07691
import { z } from 'zod'
import { invariant } from '../../../../shared/assert.ts'
import { defineAlgorithm } from '../define.ts'
import { completionLengths, meanOverTokens, sequenceLogProbs, softplus, splitPairs, weightedShare } from '../ops.ts'
import { LOG_PROB_INFO, logProbMetrics, lossInfo, REWARD_INFO, rewardMetrics } from '../pair-metrics.ts'
import { BY_STRENGTH, BY_WEIGHT, SMALL_MODEL, WITH_END } from '../pair-page.ts'
import { forPretrained } from '../pretrained-presets.ts'
import { overLabel, softPreference, useStrength } from '../preference-strength.ts'
import { tf } from '../tf.ts'

/** A completion whose every token is certain has infinite odds; its mean log-prob is held this far below 0. */
const LEAST_DOUBT = 1e-6

/** log odds = log P − log(1 − P), with log P the mean log-prob of a token. [row] → [row] */
export function logOdds(meanLogProb: tf.Tensor1D): tf.Tensor1D {
  const others = tf.log(tf.neg(tf.expm1(tf.minimum(meanLogProb, -LEAST_DOUBT))))
  return tf.sub(meanLogProb, others) as tf.Tensor1D
}

/**
 * Eq. 6 and 7 with log P = log π(y)/|y| and p = P(y⁺ preferred):
 *   L(y⁺, y⁻) = −log P(y⁺) − λ log σ(log odds(y⁺) − log odds(y⁻)),   loss = p L(y⁺, y⁻) + (1 − p) L(y⁻, y⁺)
 * @param chosen log P(y⁺) [pair]   @param rejected log P(y⁻) [pair]   @param preference p [pair]   @returns [pair]
 */
export function orpoLoss(
  chosen: tf.Tensor1D,
  rejected: tf.Tensor1D,
  preference: tf.Tensor1D,
  oddsWeight: number,
): tf.Tensor1D {
  const ratio = tf.sub(logOdds(chosen), logOdds(rejected)) as tf.Tensor1D
  const oneWay = (winner: tf.Tensor1D, lead: tf.Tensor1D): tf.Tensor1D =>
    tf.sub(tf.mul(softplus(tf.neg(lead)), oddsWeight), winner) as tf.Tensor1D
  return overLabel(preference, oneWay(chosen, ratio), oneWay(rejected, tf.neg(ratio) as tf.Tensor1D))
}

const REWARD_HELP: Readonly<Record<string, string>> = {
  'rewards/chosen':
    'λ times the mean log-prob of a token of the preferred completions. It is below 0 and should rise: the likelihood part pulls it up.',
  'rewards/rejected':
    'λ times the mean log-prob of a token of the others. With good data it rises a little too, and should stay below the preferred side.',
  'rewards/accuracies':
    'How often the preferred completion is likelier per token. A tie counts one half. There is no reference, so that an untrained policy need not stand at 0.5.',
}

export const orpo = defineAlgorithm({
  id: 'orpo',
  name: 'ORPO',
  summary: 'Likelihood of the preferred, and its odds against the other, without a reference',
  paper: { cite: 'Hong et al., EMNLP 2024', url: 'https://arxiv.org/abs/2403.07691' },
  vectors: ['orpo'],
  equation: 'L = −log π(y⁺)/|y⁺| − λ log σ(log odds(y⁺)/odds(y⁻)),   odds = P/(1 − P),   P = exp(log π(y)/|y|)',
  deviations: [
    'The likelihood part is the mean over the tokens of each preferred completion, then over pairs, as the paper writes it. TRL takes the mean over all tokens of the batch, in which long completions count more.',
    'It covers the completion alone; the authors’ first code covered the prompt too.',
    `A mean log-prob is held ${LEAST_DOUBT} below 0 where 1 − P is taken: at certainty the odds are infinite.`,
    'A soft label p gives p·L(y⁺, y⁻) + (1 − p)·L(y⁻, y⁺), the likelihood of both sides by their share; with p = 1 this is the paper’s loss.',
    BY_STRENGTH,
    BY_WEIGHT,
    WITH_END,
  ],
  data: 'response-pairs',
  role: 'policy',
  needsReference: false,
  config: z.strictObject({
    oddsWeight: z.number().positive().max(100).default(0.1).meta({
      title: 'Weight of the odds',
      symbol: 'λ',
      help: 'What the odds ratio counts beside the likelihood of the preferred completion: 0.1 in most of the paper; TRL calls it beta.',
      group: 'main',
    }),
    useStrength: useStrength(),
  }),
  metrics: [
    lossInfo(
      'nats',
      'Mean ORPO loss: the likelihood part, nats per token, plus λ times that of the odds (log 2 where both sides are equally likely).',
    ),
    {
      name: 'nll_loss',
      label: 'Likelihood part',
      unit: 'nats per token',
      goal: 'min',
      help: 'Mean of −log π(y⁺)/|y⁺|: what supervised fine-tuning on the preferred completions would lower.',
    },
    {
      name: 'log_odds',
      label: 'Log odds ratio',
      unit: 'nats',
      goal: 'max',
      help: 'Mean of log odds(y⁺) − log odds(y⁻). It should rise.',
    },
    ...REWARD_INFO.map((info) => ({ ...info, help: REWARD_HELP[info.name] ?? info.help })),
    ...LOG_PROB_INFO,
  ],
  mainMetric: 'eval/rewards/accuracies',
  presets: [
    {
      id: 'small',
      title: 'Small model',
      suits: ['new'],
      note: 'For Pairlab’s own models of up to a few million parameters. It can begin with a new model: the likelihood part teaches it to write.',
      config: { oddsWeight: 0.1 },
      training: SMALL_MODEL,
    },
    ...forPretrained('preference', { oddsWeight: 0.1 }),
  ],
  loss({ network, batch, totals, config }) {
    invariant(batch.kind === 'pairs', 'ORPO gets pairs')
    const logProbs = network.tokenLogProbs(batch.tokens)
    const perToken = meanOverTokens(sequenceLogProbs(logProbs), completionLengths(batch.tokens))
    const [chosen, rejected] = splitPairs(perToken, batch.pairs)
    const perPair = orpoLoss(chosen, rejected, softPreference(batch, config.useStrength), config.oddsWeight)
    const share = (values: tf.Tensor1D): tf.Scalar => weightedShare(values, batch.weight, totals.weight)
    const loss = share(perPair)
    return {
      loss,
      metrics: {
        loss,
        nll_loss: share(tf.neg(chosen)),
        log_odds: share(tf.sub(logOdds(chosen), logOdds(rejected))),
        ...rewardMetrics({ batch, totals, rewards: tf.mul(perToken, config.oddsWeight) as tf.Tensor1D }),
        ...logProbMetrics(batch, totals, logProbs),
      },
    }
  },
})
