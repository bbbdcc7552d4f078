// Online DPO, "Direct Language Model Alignment from Online AI Feedback" (Guo et al., 2024), arXiv 2402.04792
import { z } from 'zod'
import { invariant } from '../../../../shared/assert.ts'
import { rewardSource } from '../../../../shared/run-spec.ts'
import { defineAlgorithm } from '../define.ts'
import { grouped, policyMetrics } from '../groups.ts'
import { sequenceLogRatios, weightedShare } from '../ops.ts'
import { KL_INFO, LOG_PROB_INFO, lossInfo, REWARD_INFO } from '../pair-metrics.ts'
import { BY_WEIGHT, distancePenalty, SMALL_WRITER } from '../pair-page.ts'
import { forPretrained } from '../pretrained-presets.ts'
import { needsScorable, ROLLOUT_INFO, writingFields, writtenBy } from '../sampling/rollout.ts'
import { tf } from '../tf.ts'
import { dpoLoss } from './dpo.ts'

/** What a judge that sees both rewards says: 1 where the first is larger, 0 where it is smaller, ½ where they are equal. Any shape. */
export function judgedPreference<T extends tf.Tensor>(first: T, second: T): T {
  return tf.mul(tf.add(tf.sign(tf.sub(first, second)), 1), 0.5) as T
}

export const onlineDpo = defineAlgorithm({
  id: 'online-dpo',
  name: 'Online DPO',
  summary: 'Writes two answers, DPO on the judged pair',
  paper: { cite: 'Guo et al., 2024', url: 'https://arxiv.org/abs/2402.04792' },
  vectors: ['online-dpo'],
  equation: 'y, y′ ~ π,   L = −log σ(β [log π(y⁺)/π_ref(y⁺) − log π(y⁻)/π_ref(y⁻)]),   y⁺ the one of larger reward',
  deviations: [
    'The judge is a reward model or a rule, whose larger number wins; the paper asks a language model which answer it prefers.',
    'Two equal rewards are a tie, ½·L(Δ) + ½·L(−Δ), which draws the two log-ratios together. TRL’s OnlineDPOTrainer takes the first written for the better one; the order of two samples of one policy says nothing, and ½ is what that rule gives on average.',
    'One update on each set of samples, with the gradient through the loss alone, as in the paper: none through sampling.',
    'A cut completion competes as it stands, or with less reward (TRL’s missing_eos_penalty); it is not masked, since half a pair says nothing.',
    'Prompts are those of the data set’s pairs; their logged completions serve only held-out numbers, judged by the same reward.',
    BY_WEIGHT,
  ],
  data: 'response-pairs',
  role: 'policy',
  needsReference: true,
  rewards: (value) => value.rewards,
  rollout: (value) => ({
    ...writtenBy(value),
    samples: 2,
    updates: 1,
    missingEosPenalty: value.missingEosPenalty,
  }),
  config: needsScorable(
    z.strictObject({
      beta: distancePenalty(),
      rewards: rewardSource.default({ kind: 'length', target: 100 }).meta({
        title: 'Reward',
        help: 'The judge: a reward model or a rule scores both completions of a prompt, and the larger number is the better one, by however little.',
        group: 'main',
      }),
      missingEosPenalty: z.number().min(0).max(1000).default(0).meta({
        title: 'Penalty without an end',
        unit: 'reward',
        help: 'Taken from the reward of a completion that was cut at the longest length. More than rewards differ by lets a finished completion always win.',
        group: 'main',
      }),
      ...writingFields,
    }),
    () => true,
  ),
  metrics: [
    {
      ...lossInfo(
        'nats',
        'Mean DPO loss of the pairs just written. It starts at 0.693 (log 2) and need not fall, because each step brings new pairs: read the reward of roll-outs.',
      ),
      goal: 'none',
    },
    {
      name: 'scores/margins',
      label: 'Difference of rewards',
      unit: 'reward',
      goal: 'none',
      help: 'Mean of the better completion’s reward less the other’s. At 0 the judge tells nothing apart and nothing is learned.',
    },
    ...ROLLOUT_INFO,
    ...REWARD_INFO,
    ...LOG_PROB_INFO,
    ...KL_INFO,
  ],
  mainMetric: 'eval/rollout/reward',
  presets: [
    {
      id: 'small',
      title: 'Small model',
      suits: ['new'],
      note: 'For Pairlab’s own models, from a finished SFT run. A healthy run: the reward of roll-outs rises and flattens, KL grows to a few nats, few prompts are without a signal.',
      config: {},
      training: SMALL_WRITER,
    },
    ...forPretrained('preference', { beta: 0.1 }),
    {
      id: 'paper',
      title: 'OAIF paper',
      note: 'Guo et al. (2024) with models of the size of PaLM 2-XS: β 0.1, batch 128, learning rate 5e-7 (with Adafactor; here AdamW). Temperature 0.9 and 64 tokens are the defaults of TRL’s OnlineDPOTrainer, warm-up and steps ours.',
      config: { beta: 0.1, rolloutTemperature: 0.9, rolloutTokens: 64 },
      training: { steps: 1000, batchSize: 128, learningRate: 5e-7, warmupFraction: 0.1, schedule: 'constant' },
    },
  ],
  loss({ network, batch, totals, config: { beta } }) {
    invariant(batch.reference !== null, 'Online DPO gets reference log-probs')
    const logProbs = network.tokenLogProbs(batch.tokens)
    const ratios = sequenceLogRatios(logProbs, batch.reference)
    const group = grouped(batch)
    invariant(group.samples === 2, 'Online DPO compares two completions of a prompt')
    const [first, second] = columns(group.grid(ratios))
    const [reward, other] = columns(group.rewards)
    const [exists, otherExists] = columns(group.valid)
    const both = tf.mul(exists, otherExists) as tf.Tensor1D
    const difference = tf.sub(first, second) as tf.Tensor1D
    const perPair = dpoLoss(difference, judgedPreference(reward, other), {
      beta,
      labelSmoothing: 0,
      smoothing: 'conservative',
    })
    const share = (values: tf.Tensor1D): tf.Scalar =>
      weightedShare(tf.mul(values, both) as tf.Tensor1D, batch.weight, totals.weight)
    const loss = share(perPair)
    const better = tf.sign(tf.sub(reward, other)) as tf.Tensor1D
    return {
      loss,
      metrics: {
        loss,
        'scores/margins': share(tf.abs(tf.sub(reward, other))),
        ...(batch.kind === 'groups' ? { 'rewards/margins': share(tf.mul(tf.mul(better, difference), beta)) } : {}),
        ...policyMetrics(batch, totals, logProbs, batch.reference, ratios, beta),
      },
    }
  },
})

/** [prompt, 2] → [prompt], [prompt] */
function columns(grid: tf.Tensor2D): readonly [tf.Tensor1D, tf.Tensor1D] {
  const column = (at: number): tf.Tensor1D => tf.reshape(tf.slice(grid, [0, at], [-1, 1]), [-1])
  return [column(0), column(1)]
}
