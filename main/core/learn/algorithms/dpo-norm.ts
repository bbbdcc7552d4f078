// Length-normalized DPO (Lambert et al. 2024, "Tülu 3"), arXiv 2411.15124
import { z } from 'zod'
import { invariant } from '../../../../shared/assert.ts'
import { defineAlgorithm } from '../define.ts'
import { policyMetrics } from '../groups.ts'
import { completionLengths, meanOverTokens, sequenceLogRatios, splitPairs, weightedShare } from '../ops.ts'
import { lossInfo, POLICY_INFO, REWARD_INFO } from '../pair-metrics.ts'
import { BY_STRENGTH, BY_WEIGHT, distancePenalty, SMALL_MODEL, WITH_END } from '../pair-page.ts'
import { forPretrained } from '../pretrained-presets.ts'
import { softPreference, useStrength } from '../preference-strength.ts'
import { tf } from '../tf.ts'
import { dpoLoss } from './dpo.ts'

const REWARDS = new Set(REWARD_INFO.map((info) => info.name))

export const dpoNorm = defineAlgorithm({
  id: 'dpo-norm',
  name: 'DPO-norm',
  summary: 'Length-normalized DPO: log-ratios per token',
  paper: { cite: 'Lambert et al. 2024', url: 'https://arxiv.org/abs/2411.15124' },
  vectors: ['dpo-norm'],
  equation: 'L = −log σ(β/|y⁺| log π(y⁺)/π_ref(y⁺) − β/|y⁻| log π(y⁻)/π_ref(y⁻))',
  deviations: [
    'A soft label p gives p·L(Δ) + (1 − p)·L(−Δ); with p = 1 this is the report’s loss.',
    BY_STRENGTH,
    BY_WEIGHT,
    WITH_END,
  ],
  data: 'response-pairs',
  role: 'policy',
  needsReference: true,
  config: z.strictObject({
    beta: distancePenalty(
      5,
      'Of the log-ratio of a token: some fifty times that of DPO, whose log-ratios are sums.',
      1000,
    ),
    useStrength: useStrength(),
  }),
  metrics: [
    lossInfo('nats', 'Mean loss. It starts at 0.693 (log 2), where policy and reference are equal, and falls.'),
    ...POLICY_INFO.map((info) => (REWARDS.has(info.name) ? { ...info, help: `${info.help} Per token.` } : info)),
  ],
  mainMetric: 'eval/rewards/accuracies',
  presets: [
    {
      id: 'small',
      title: 'Small model',
      suits: ['new'],
      note: 'For Pairlab’s own models of up to a few million parameters.',
      config: { beta: 5 },
      training: SMALL_MODEL,
    },
    ...forPretrained('preference', { beta: 5 }),
    {
      id: 'tulu-3',
      title: 'Tülu 3',
      note: 'Lambert et al. (2024), 8 B: β 5, learning rate 5e-7 falling in a line after 10 % of warm-up, batch 128, one epoch of 271,000 pairs.',
      config: { beta: 5 },
      training: {
        steps: 2117,
        batchSize: 128,
        learningRate: 5e-7,
        warmupFraction: 0.1,
        schedule: 'linear',
        maxLength: 2048,
      },
    },
  ],
  loss({ network, batch, totals, config }) {
    invariant(
      batch.kind === 'pairs' && batch.reference !== null,
      'length-normalized DPO gets pairs with reference log-probs',
    )
    const logProbs = network.tokenLogProbs(batch.tokens)
    const ratios = meanOverTokens(sequenceLogRatios(logProbs, batch.reference), completionLengths(batch.tokens))
    const [chosen, rejected] = splitPairs(ratios, batch.pairs)
    const perPair = dpoLoss(tf.sub(chosen, rejected), softPreference(batch, config.useStrength), {
      beta: config.beta,
      labelSmoothing: 0,
      smoothing: 'conservative',
    })
    const loss = weightedShare(perPair, batch.weight, totals.weight)
    return { loss, metrics: { loss, ...policyMetrics(batch, totals, logProbs, batch.reference, ratios, config.beta) } }
  },
})
