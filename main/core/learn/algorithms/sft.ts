// Supervised fine-tuning on the preferred completions, the first stage of Ouyang et al. (NeurIPS 2022), arXiv 2203.02155
import { z } from 'zod'
import { invariant } from '../../../../shared/assert.ts'
import { defineAlgorithm, type PairBatch, type TokenBatch } from '../define.ts'
import { sequenceLogProbs, weightedShare } from '../ops.ts'
import { likelihoodAccuracy, LOG_PROB_INFO, logProbMetrics, lossInfo } from '../pair-metrics.ts'
import { BY_STRENGTH } from '../pair-page.ts'
import { forPretrained } from '../pretrained-presets.ts'
import { softPreference, useStrength } from '../preference-strength.ts'
import { numbersOf, tensorOf } from '../host-numbers.ts'
import { tf } from '../tf.ts'

/**
 * Token-mean negative log-likelihood of the completions:
 *   loss = −Σ_b w_b Σ_t log π(y_t | x, y_<t) / N,   N = Σ_b w_b |y_b| over the whole batch
 * @param tokenLogProbs 0 where masked [row, time−1]   @param rowWeights w [row]   @param totalTokens N   @returns []
 */
export function sftLoss(tokenLogProbs: tf.Tensor2D, rowWeights: tf.Tensor1D, totalTokens: number): tf.Scalar {
  return tf.neg(weightedShare(sequenceLogProbs(tokenLogProbs), rowWeights, totalTokens))
}

/**
 * Mean over the completions of each one's own mean, in which long and short ones count alike. A row without a
 * completion token adds nothing but is a row.
 * @param lengths completion tokens [row]   @returns []
 */
export function sequenceMeanLoss(tokenLogProbs: tf.Tensor2D, lengths: tf.Tensor1D): tf.Scalar {
  return tf.neg(tf.mean(tf.div(sequenceLogProbs(tokenLogProbs), tf.maximum(lengths, 1))))
}

/** P(chosen) and P(rejected) as weights of the two completions. */
function sideWeights(preference: number, strength: number, useStrength: boolean): readonly [number, number] {
  const soft = useStrength ? 0.5 + (preference - 0.5) * strength : preference
  return [soft, 1 - soft]
}

function chosenRows(tokens: TokenBatch, pairs: number): TokenBatch {
  const take = (x: tf.Tensor2D): tf.Tensor2D =>
    tensorOf<tf.Rank.R2>(numbersOf(x).subarray(0, pairs * x.shape[1]), [pairs, x.shape[1]])
  return { ids: take(tokens.ids), attention: take(tokens.attention), completion: take(tokens.completion) }
}

/** True when no rejected completion of the batch carries loss, so that half the forward pass can be left out. */
function onlyChosenCount(batch: PairBatch, useStrength: boolean): boolean {
  const strength = useStrength ? numbersOf(batch.strength) : null
  return (
    batch.pairs > 0 &&
    numbersOf(batch.preference).every((value, index) => value === 1 && (strength === null || strength[index] === 1))
  )
}

export const sft = defineAlgorithm({
  id: 'sft',
  name: 'SFT',
  summary: 'Imitates the preferred completions',
  paper: { cite: 'Ouyang et al., NeurIPS 2022', url: 'https://arxiv.org/abs/2203.02155' },
  vectors: ['seq_logprob_sft', 'unpaired'],
  equation: 'L = −Σₜ log π(yₜ⁺ | x, y⁺ before t) / number of tokens',
  deviations: [
    'The demonstrations are the preferred completions of the pairs. With a soft label p both count, with weights p and 1 − p; a tie counts both by half.',
    'Of answers that stand alone it imitates those that were called good, by how many say so.',
    BY_STRENGTH,
    'The mean is over the completion tokens of the whole batch, weighted by the pairs’ weights; prompts carry no loss.',
  ],
  data: 'response-pairs',
  role: 'policy',
  needsReference: false,
  watchesDrift: true,
  answers: 'good',
  tokenWeights: (preference, strength, config) => sideWeights(preference, strength, config.useStrength),
  config: z.strictObject({
    useStrength: useStrength(
      'A weakly preferred completion counts less, and the other one more: ½ + (p − ½) · strength.',
    ),
  }),
  metrics: [
    lossInfo(
      'nats/token',
      'Mean negative log-likelihood of a completion token. It falls; a held-out curve that turns up is over-fitting.',
    ),
    ...LOG_PROB_INFO,
    {
      name: 'logps/accuracies',
      label: 'Likelihood accuracy',
      unit: 'fraction',
      goal: 'max',
      help: 'How often the preferred completion is the likelier one per token, on held-out pairs. SFT does not aim at it, so it may stay near 0.5.',
    },
  ],
  mainMetric: 'eval/loss',
  presets: [
    {
      id: 'small',
      title: 'Small model',
      suits: ['new'],
      note: 'For Pairlab’s own models, trained from scratch.',
      config: {},
      training: { steps: 300, batchSize: 16, learningRate: 2e-3, warmupFraction: 0.1, schedule: 'cosine' },
    },
    ...forPretrained('imitation'),
    {
      id: 'paper',
      title: 'CoPG’s SFT',
      note: 'The SFT stage of Flet-Berliac et al. (2024) on TL;DR with a 7 B model: 2e-5 to 0 by a cosine, batch 128, two epochs, 10 % warm-up.',
      config: {},
      training: { steps: 1800, batchSize: 128, learningRate: 2e-5, warmupFraction: 0.1, schedule: 'cosine' },
    },
  ],
  loss({ network, batch, totals, config, evaluating }) {
    invariant(batch.kind !== 'groups', 'SFT gets pairs or answers')
    if (batch.kind === 'answers') {
      const weights = tf.mul(batch.weight, batch.good) as tf.Tensor1D
      const loss = sftLoss(network.tokenLogProbs(batch.tokens), weights, totals.tokens)
      return { loss, metrics: { loss } }
    }
    if (evaluating !== true && onlyChosenCount(batch, config.useStrength)) {
      const logProbs = network.tokenLogProbs(chosenRows(batch.tokens, batch.pairs))
      const loss = sftLoss(logProbs, batch.weight, totals.tokens)
      return {
        loss,
        metrics: { loss, 'logps/chosen': weightedShare(sequenceLogProbs(logProbs), batch.weight, totals.weight) },
      }
    }
    const logProbs = network.tokenLogProbs(batch.tokens)
    const soft = softPreference(batch, config.useStrength)
    const rowWeights = tf.concat1d([tf.mul(soft, batch.weight), tf.mul(tf.sub(1, soft), batch.weight)])
    const loss = sftLoss(logProbs, rowWeights, totals.tokens)
    const shown = logProbMetrics(batch, totals, logProbs)
    if (evaluating !== true) return { loss, metrics: { loss, 'logps/chosen': shown['logps/chosen']! } }
    return { loss, metrics: { loss, ...shown, 'logps/accuracies': likelihoodAccuracy(batch, totals, logProbs) } }
  },
})
