// Preference-based implicit Q-learning: a reward from preferences between segments (Christiano et al., 2017), then IQL
// (Kostrikov et al., ICLR 2022), arXiv 2110.06169, as the baseline of CPL.
import { z } from 'zod'
import { defineControlMethod, type ControlStep, type SegmentBatch } from '../control/control.ts'
import {
  behaviourCloningLoss,
  CONTROL_INFO,
  hiddenOf,
  networkFields,
  PAPER_TRAINING,
  pairAccuracy,
  policyNetwork,
  rowSums,
  segmentLogProbs,
  splitStages,
} from '../control/control-policy.ts'
import { followTargets } from '../control/control-targets.ts'
import type { LossResult } from '../define.ts'
import type { Mlp, MlpConfig } from '../models/mlp.ts'
import { logSigmoid, splitPairs, stopGradient } from '../ops.ts'
import { tf } from '../tf.ts'

/** Bradley–Terry on sums of rewards, soft labels. @param first, second rewards [pair, time]   @param secondPreferred [pair]   @returns [pair] */
export function segmentRewardLoss(first: tf.Tensor2D, second: tf.Tensor2D, secondPreferred: tf.Tensor1D): tf.Tensor1D {
  return tf.tidy(() => {
    const margin = tf.sub(tf.sum(second, 1), tf.sum(first, 1)) as tf.Tensor1D
    const loss = tf.add(
      tf.mul(secondPreferred, logSigmoid(margin)),
      tf.mul(tf.sub(1, secondPreferred), logSigmoid(tf.neg(margin) as tf.Tensor1D)),
    )
    return tf.neg(loss) as tf.Tensor1D
  })
}

/** |τ − 1[Q − V < 0]| (Q − V)² with Q held fixed (Eq. 5 there). Any shape. */
export function expectileErrors(q: tf.Tensor, v: tf.Tensor, expectile: number): tf.Tensor {
  return tf.tidy(() => {
    const difference = tf.sub(stopGradient(q), v)
    const above = tf.mul(tf.square(tf.relu(difference)), expectile)
    const below = tf.mul(tf.square(tf.relu(tf.neg(difference))), 1 - expectile)
    return tf.add(above, below)
  })
}

/** Their mean, with Q the lesser of two target critics. Any shape. */
export function expectileValueLoss(q1: tf.Tensor, q2: tf.Tensor, v: tf.Tensor, expectile: number): tf.Scalar {
  return tf.tidy(() => tf.mean(expectileErrors(tf.minimum(q1, q2), v, expectile)) as tf.Scalar)
}

/** min(e^{(Q − V)/β}, limit), a number without gradient. Any shape. */
export function advantageWeights(advantage: tf.Tensor, beta: number, limit: number): tf.Tensor {
  return tf.tidy(() =>
    stopGradient(tf.minimum(tf.exp(tf.minimum(tf.div(advantage, beta), Math.log(limit) + 1)), limit)),
  )
}

/** −mean(weight · log π(a | s)) (Eq. 7 there). */
export function weightedActorLoss(logProbs: tf.Tensor, weights: tf.Tensor): tf.Scalar {
  return tf.neg(tf.mean(tf.mul(stopGradient(weights), logProbs))) as tf.Scalar
}

/** r + γ V(s′), with the discount 0 at the end of an episode. Any shape. */
export function criticTarget(reward: tf.Tensor, discount: tf.Tensor, nextValue: tf.Tensor): tf.Tensor {
  return stopGradient(tf.add(reward, tf.mul(discount, nextValue)))
}

const config = z.strictObject({
  expectile: z.number().gt(0).lt(1).default(0.7).meta({
    title: 'Expectile',
    symbol: 'τ',
    help: 'Above ½ the value leans toward the better actions in the data.',
    group: 'main',
  }),
  temperature: z
    .number()
    .positive()
    .max(100)
    .default(1 / 3)
    .meta({
      title: 'Advantage temperature',
      symbol: 'β',
      help: 'The policy copies each action with weight e^{(Q − V)/β}.',
      group: 'main',
    }),
  weightLimit: z
    .number()
    .positive()
    .default(100)
    .meta({ title: 'Largest weight', help: 'Where these weights are cut.', group: 'expert' }),
  discount: z
    .number()
    .gt(0)
    .lt(1)
    .default(0.99)
    .meta({ title: 'Discount', symbol: 'γ', help: 'Of the learned reward.', group: 'main' }),
  polyak: z
    .number()
    .gt(0)
    .max(1)
    .default(0.005)
    .meta({ title: 'Target rate', help: 'Share by which the target critics follow at each step.', group: 'expert' }),
  rewardShare: z.number().gt(0).lt(1).default(0.1).meta({
    title: 'Reward learned',
    unit: 'of steps',
    help: 'Share of the steps, the first, in which the reward is learned from preferences beside everything else. It is fixed after that.',
    group: 'main',
  }),
  pairing: z.enum(['comparison', 'rank']).default('comparison').meta({
    title: 'Pairs',
    help: 'Comparison takes the judged pairs; rank compares any two scored segments.',
    group: 'main',
  }),
  ...networkFields,
})
type PiqlConfig = z.infer<typeof config>

/** r, Q of (s, a) of every step [2·pair, time] */
function ofActions(network: Mlp, { observations, actions, pairs, time }: SegmentBatch): tf.Tensor2D {
  return tf.reshape(network.apply(tf.concat([observations, actions], 1)), [2 * pairs, time])
}

function ofStates(network: Mlp, { observations, pairs, time }: SegmentBatch): tf.Tensor2D {
  return tf.reshape(network.apply(observations), [2 * pairs, time])
}

function learnReward({ networks, batch }: ControlStep<PiqlConfig>): LossResult {
  const rewards = tf.mul(ofActions(networks['reward']!, batch), batch.mask) as tf.Tensor2D
  const first = tf.slice(rewards, [0, 0], [batch.pairs, batch.time])
  const second = tf.slice(rewards, [batch.pairs, 0], [batch.pairs, batch.time])
  const loss = tf.mean(segmentRewardLoss(first, second, batch.secondPreferred)) as tf.Scalar
  return {
    loss,
    metrics: {
      'reward/loss': loss,
      'reward/accuracy': pairAccuracy(tf.sum(first, 1), tf.sum(second, 1), batch.labels),
    },
  }
}

/** Means over the steps with a successor in the segment; all that has no gradient is computed once. */
async function improve(step: ControlStep<PiqlConfig>, rewards: tf.Tensor2D): Promise<Record<string, number>> {
  const { config: settings, networks, batch, dropout } = step
  const rows = 2 * batch.pairs
  const before = (x: tf.Tensor2D): tf.Tensor2D => tf.slice(x, [0, 0], [rows, batch.time - 1])
  const after = (x: tf.Tensor2D): tf.Tensor2D => tf.slice(x, [0, 1], [rows, batch.time - 1])
  const fixed = tf.tidy(() => {
    const v = ofStates(networks['value']!, batch)
    const q = tf.minimum(
      ofActions(networks['critic-1-target']!, batch),
      ofActions(networks['critic-2-target']!, batch),
    ) as tf.Tensor2D
    const weights = tf.mul(
      advantageWeights(before(tf.sub(q, v)), settings.temperature, settings.weightLimit),
      before(batch.mask),
    )
    return {
      q: before(q),
      weights,
      steps: tf.maximum(tf.sum(before(batch.mask)), 1),
    }
  })
  const meanOver = (x: tf.Tensor): tf.Scalar => tf.div(tf.sum(tf.mul(x, before(batch.mask))), fixed.steps)
  // The value moves first: the critics' target is of its new one, the policy's weights of the old.
  const value = await step.minimize(['value'], () => {
    const loss = meanOver(expectileErrors(fixed.q, before(ofStates(networks['value']!, batch)), settings.expectile))
    return { loss, metrics: { 'iql/value-loss': loss } }
  })
  const target = tf.tidy(() => {
    // A padded successor is the end of the episode: its value is 0.
    const discount = tf.mul(after(batch.mask), settings.discount)
    return criticTarget(before(rewards), discount, after(ofStates(networks['value']!, batch)))
  })
  const reported = await step.minimize(['critic-1', 'critic-2', 'policy'], () => {
    const criticLoss = tf.add(
      ...(['critic-1', 'critic-2'].map((name) =>
        meanOver(tf.squaredDifference(before(ofActions(networks[name]!, batch)), target)),
      ) as [tf.Scalar, tf.Scalar]),
    ) as tf.Scalar
    const logProbs = segmentLogProbs(networks['policy']!, batch, dropout)
    const actorLoss = tf.neg(tf.div(tf.sum(tf.mul(before(logProbs), fixed.weights)), fixed.steps)) as tf.Scalar
    const [first, second] = splitPairs(rowSums(logProbs, batch.mask), batch.pairs)
    return {
      loss: tf.add(criticLoss, actorLoss) as tf.Scalar, // they share no weights
      metrics: {
        loss: actorLoss,
        'iql/critic-loss': criticLoss,
        'iql/weight': tf.div(tf.sum(fixed.weights), fixed.steps) as tf.Scalar,
        'bc/loss': behaviourCloningLoss(logProbs, batch.mask, batch.steps),
        'preferences/accuracy': pairAccuracy(first, second, batch.labels),
      },
    }
  })
  tf.dispose([...Object.values(fixed), target])
  followTargets(networks, settings.polyak)
  return { ...value, ...reported }
}

export const piql = defineControlMethod<PiqlConfig>({
  id: 'p-iql',
  name: 'P-IQL',
  summary: 'A reward from preferences, and implicit Q-learning on it',
  paper: {
    cite: 'Kostrikov et al., ICLR 2022; as in Hejna et al., ICLR 2024',
    url: 'https://arxiv.org/abs/2110.06169',
  },
  vectors: ['piql', 'gaussian_policy'],
  equation: 'r_φ by −log σ(Σr_φ⁺ − Σr_φ⁻);   L_V = |τ − 1[Q<V]|(Q−V)²;   L_π = −e^{(Q−V)/β} log π',
  deviations: [
    'The learning rate of every network is the training’s own, with its schedule; the official one decays the policy’s alone.',
    'The last step of a segment has no successor and is left out of the critics; an episode that ends inside a segment ends with value 0.',
    'log π is −‖a − μ(s)‖², as in CPL’s official code.',
  ],
  config,
  metrics: [
    {
      name: 'loss',
      label: 'Loss',
      unit: '',
      goal: 'min',
      help: 'The weighted cloning loss of the policy.',
    },
    {
      name: 'reward/loss',
      label: 'Reward loss',
      unit: 'nats',
      goal: 'min',
      help: 'Bradley–Terry on sums of the learned reward; log 2 at the start.',
    },
    {
      name: 'reward/accuracy',
      label: 'Reward accuracy',
      unit: 'fraction',
      goal: 'max',
      help: 'How often the preferred segment has the greater sum of learned rewards.',
    },
    { name: 'iql/value-loss', label: 'Value loss', unit: '', goal: 'min', help: 'Expectile error of the value.' },
    {
      name: 'iql/critic-loss',
      label: 'Critic loss',
      unit: '',
      goal: 'min',
      help: 'Squared error of both critics. It may rise while values grow; it should not run away.',
    },
    {
      name: 'iql/weight',
      label: 'Mean weight',
      unit: '',
      goal: 'none',
      help: 'Of the copied actions. Near 1 the method is plain cloning; at the limit it copies a few actions alone.',
    },
    ...CONTROL_INFO,
  ],
  presets: [
    {
      id: 'small',
      title: 'Small',
      note: 'For the worlds that come with Pairlab, on a processor.',
      config: { width: 64 },
      training: { steps: 3000, batchSize: 16, learningRate: 1e-3, warmupFraction: 0, schedule: 'cosine', clipNorm: 0 },
    },
    {
      id: 'paper',
      title: 'CPL’s baseline',
      note: 'As in Hejna et al. (2024), piql.yaml: 500,000 steps of IQL at 3e-4, in the first 50,000 of which the reward is learned beside it, τ 0.7, β 1/3, γ 0.99, dropout 0.25 on the policy.',
      config: {},
      training: { ...PAPER_TRAINING, learningRate: 3e-4, warmupFraction: 0, schedule: 'cosine' },
    },
  ],
  networks(settings, sizes) {
    const value: MlpConfig = {
      inputs: sizes.observation,
      hidden: hiddenOf(settings),
      outputs: 1,
      activation: 'relu',
      output: 'linear',
    }
    const critic: MlpConfig = { ...value, inputs: sizes.observation + sizes.action }
    return {
      policy: policyNetwork(settings, sizes),
      reward: critic,
      value,
      'critic-1': critic,
      'critic-2': critic,
      'critic-1-target': critic,
      'critic-2-target': critic,
    }
  },
  stages: ({ rewardShare }, steps) =>
    splitStages(steps, rewardShare, [{ name: 'reward' }, { name: 'iql', continues: true }]),
  pairing: (settings) => settings.pairing,
  async update(step) {
    // As it is before this step's update of it.
    const rewards = tf.tidy(() => ofActions(step.networks['reward']!, step.batch))
    const learned = step.stage === 'reward' ? await step.minimize(['reward'], () => learnReward(step)) : {}
    const improved = await improve(step, rewards)
    rewards.dispose()
    return { ...learned, ...improved }
  },
})
