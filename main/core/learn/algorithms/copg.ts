// Contrastive Policy Gradient (Flet-Berliac et al., EMNLP 2024), arXiv 2406.19185
import { z } from 'zod'
import { invariant } from '../../../../shared/assert.ts'
import { rewardSource } from '../../../../shared/run-spec.ts'
import { defineAlgorithm, type GroupBatch, type LossContext, type LossResult, type PairBatch } from '../define.ts'
import { grouped, meanOverPairs, pairwise, policyMetrics } from '../groups.ts'
import { sequenceLogRatios, splitPairs, weightedShare } from '../ops.ts'
import { lossInfo, POLICY_INFO } from '../pair-metrics.ts'
import { BY_WEIGHT, distancePenalty, SMALL_MODEL, SMALL_WRITER } from '../pair-page.ts'
import { forPretrained } from '../pretrained-presets.ts'
import { needsScorable, rolloutFields, writtenBy } from '../sampling/rollout.ts'
import { tf } from '../tf.ts'

/**
 * Eq. 6 with ΔR = R(y) − R(y′), Δr = r(y) − r(y′), r = log π − log π_ref:
 *   ℓ(y, y′) = ΔR Δr − (β/2) Δr²,   loss = −ℓ
 * The minimum, at βΔr = ΔR, is −ΔR²/(2β) and not zero. β enters by its half here and whole in the gradient.
 * The squared form (ΔR − βΔr)²/(2β) differs by a constant that swallows the digits at small β.
 * @param rewardDifference ΔR, any shape   @param difference Δr, same shape   @returns loss of each pair
 */
export function copgLoss<T extends tf.Tensor>(rewardDifference: T, difference: T, beta: number): T {
  return tf.neg(tf.sub(tf.mul(rewardDifference, difference), tf.mul(tf.square(difference), beta / 2))) as T
}

/** How far the policy is from where this pair wants it: |ΔR − βΔr|. */
export function copgResidual<T extends tf.Tensor>(rewardDifference: T, difference: T, beta: number): T {
  return tf.abs(tf.sub(rewardDifference, tf.mul(difference, beta)))
}

/**
 * k samples of a prompt, 1/(k−1) · Σ over unordered pairs of −ℓ: its gradient is that of RLOO, without the need for
 * on-policy samples (§4). A prompt with fewer than two valid samples gives 0.
 * @param rewards R [prompt, sample]   @param ratios r [prompt, sample]   @param valid 1 where the sample exists   @returns [prompt]
 */
export function copgGroupLoss(
  rewards: tf.Tensor2D,
  ratios: tf.Tensor2D,
  valid: tf.Tensor2D,
  beta: number,
): tf.Tensor1D {
  const both = tf.mul(tf.expandDims(valid, 2), tf.expandDims(valid, 1))
  const masked = tf.where(tf.greater(both, 0), copgLoss(pairwise(rewards), pairwise(ratios), beta), tf.zerosLike(both))
  const others = tf.sub(tf.sum(valid, 1), 1)
  // Every unordered pair stands twice in the square, hence the half; the diagonal is 0.
  return tf.div(tf.mul(tf.sum(masked, [1, 2]), 0.5), tf.maximum(others, 1)) as tf.Tensor1D
}

const config = needsScorable(
  z.strictObject({
    beta: distancePenalty(
      0.2,
      'The margin is pulled to (difference of rewards)/β. Too small collapses the policy without a sign in the held-out loss: look at the samples.',
    ),
    rewards: rewardSource.default({ kind: 'label' }).meta({
      title: 'Reward',
      help: 'Where the number of each completion comes from.',
      group: 'main',
    }),
    standardise: z.boolean().default(true).meta({
      title: 'Standardize rewards',
      help: 'Divide rewards by their standard deviation over the training set, once, so that one β means the same for every source. Rewards from the labels are on a fixed scale already and are left alone.',
      group: 'expert',
    }),
    groupSize: z.int().min(2).max(16).default(2).meta({
      title: 'Completions per prompt',
      symbol: 'k',
      help: '2 takes the pairs as they are; more compares every two of up to k completions of a prompt.',
      group: 'expert',
    }),
    samples: z.enum(['logged', 'online']).default('logged').meta({
      title: 'Completions',
      help: 'Logged takes those of the data set, whoever wrote them. Online lets the policy write k of them at each step, which a reward model or a rule scores: RLOO is this special case.',
      group: 'expert',
    }),
    ...rolloutFields,
  }),
  (value) => value.samples === 'online',
)
type CopgConfig = z.infer<typeof config>

function pairLoss({ network, totals, config: { beta } }: LossContext<CopgConfig>, batch: PairBatch): LossResult {
  invariant(batch.reference !== null, 'CoPG gets reference log-probs')
  const logProbs = network.tokenLogProbs(batch.tokens)
  const ratios = sequenceLogRatios(logProbs, batch.reference)
  const [chosen, rejected] = splitPairs(ratios, batch.pairs)
  const difference = tf.sub(chosen, rejected) as tf.Tensor1D
  const rewardDifference = tf.sub(batch.rewardChosen, batch.rewardRejected) as tf.Tensor1D
  const loss = weightedShare(copgLoss(rewardDifference, difference, beta), batch.weight, totals.weight)
  return {
    loss,
    metrics: {
      loss,
      'copg/residual': weightedShare(copgResidual(rewardDifference, difference, beta), batch.weight, totals.weight),
      'copg/equal-rewards': weightedShare(
        tf.cast(tf.equal(rewardDifference, 0), 'float32'),
        batch.weight,
        totals.weight,
      ),
      ...policyMetrics(batch, totals, logProbs, batch.reference, ratios, beta),
    },
  }
}

function groupLoss({ network, totals, config: { beta } }: LossContext<CopgConfig>, batch: GroupBatch): LossResult {
  invariant(batch.reference !== null, 'CoPG gets reference log-probs')
  const logProbs = network.tokenLogProbs(batch.tokens)
  const rows = sequenceLogRatios(logProbs, batch.reference)
  const ratios = grouped(batch).grid(rows)
  const share = (values: tf.Tensor1D): tf.Scalar => weightedShare(values, batch.weight, totals.weight)
  const loss = share(copgGroupLoss(batch.rewards, ratios, batch.valid, beta))
  const rewardDifferences = pairwise(batch.rewards)
  const overPairs = (values: tf.Tensor3D): tf.Scalar => share(meanOverPairs(values, batch.valid))
  return {
    loss,
    metrics: {
      loss,
      'copg/residual': overPairs(copgResidual(rewardDifferences, pairwise(ratios), beta)),
      'copg/equal-rewards': overPairs(tf.cast(tf.equal(rewardDifferences, 0), 'float32') as tf.Tensor3D),
      ...policyMetrics(batch, totals, logProbs, batch.reference, rows, beta),
    },
  }
}

export const copg = defineAlgorithm({
  id: 'copg',
  name: 'CoPG',
  summary: 'Any two completions, by the difference of their rewards',
  paper: { cite: 'Flet-Berliac et al., EMNLP 2024', url: 'https://arxiv.org/abs/2406.19185' },
  vectors: ['copg_pair', 'copg_group', 'copg_bandit'],
  equation: 'L = −(ΔR·Δr − (β/2)·Δr²),   r = log π − log π_ref',
  deviations: [
    'Rewards may come from the labels: ±½, scaled by strength and by how far the annotators agree; a tie gives equal rewards, hence only the pull to the reference.',
    BY_WEIGHT,
    'Pairs of equal reward are kept; their share is reported.',
    'Rewards are divided by their standard deviation over the training set, unless turned off; the paper uses the reward model’s scores as they are.',
    'The k-sample form, 1/(k−1) times the sum over pairs, has RLOO’s gradient; the paper’s experiments use k = 2.',
  ],
  data: 'response-pairs',
  role: 'policy',
  needsReference: true,
  rewards: (value) => value.rewards,
  groupSize: (value) => (value.groupSize === 2 ? null : value.groupSize),
  needsSupport: (value) => value.samples === 'logged',
  rollout: (value) =>
    value.samples === 'online' ? { ...writtenBy(value), samples: value.groupSize, updates: 1 } : null,
  config,
  metrics: [
    lossInfo('', 'CoPG loss. Its minimum is −ΔR²/(2β) and not zero, so read the residual instead.'),
    {
      name: 'copg/residual',
      label: 'Residual',
      unit: 'reward',
      goal: 'min',
      help: '|ΔR − βΔr|: how far the policy’s margin is from what the rewards ask for. It falls toward 0.',
    },
    {
      name: 'copg/equal-rewards',
      label: 'Equal rewards',
      unit: 'fraction',
      goal: 'none',
      help: 'Share of pairs whose two rewards are equal. They only pull the policy back to the reference.',
    },
    ...POLICY_INFO,
  ],
  mainMetric: 'eval/rewards/accuracies',
  presets: [
    {
      id: 'small',
      title: 'Small model',
      suits: ['new'],
      note: 'For Pairlab’s own models of up to a few million parameters, with rewards from the labels. A healthy run: the residual falls and flattens, held-out accuracy rises, KL grows and then stands; judge it by the reward of samples, because too small a β collapses the policy while the loss looks well.',
      config: { beta: 0.2 },
      training: SMALL_MODEL,
    },
    ...forPretrained('policy-gradient', { beta: 0.2 }),
    {
      id: 'online',
      title: 'Online',
      note: 'The policy writes four completions of each prompt at every step. Choose a reward that can score new text. A healthy run: the reward of its own completions rises, KL grows slowly, few prompts have all rewards equal.',
      config: { beta: 0.1, samples: 'online', groupSize: 4, rewards: { kind: 'length', target: 100 } },
      training: SMALL_WRITER,
    },
    {
      id: 'paper',
      title: 'CoPG paper',
      note: 'Flet-Berliac et al. (2024) on TL;DR with a 7 B model and a reward model: β 0.06 (0.03 to 0.1 works), Adam at 1e-6, batch 128, two epochs, 10 % warm-up.',
      config: { beta: 0.06, standardise: false },
      training: { steps: 1800, batchSize: 128, learningRate: 1e-6, warmupFraction: 0.1, schedule: 'constant' },
    },
  ],
  loss(context) {
    invariant(context.batch.kind !== 'answers', 'CoPG gets pairs or groups')
    return context.batch.kind === 'pairs' ? pairLoss(context, context.batch) : groupLoss(context, context.batch)
  },
})
