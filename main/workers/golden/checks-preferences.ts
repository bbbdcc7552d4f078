import { cplLoss, denseCplLoss, segmentScores } from '../../core/learn/algorithms/cpl.ts'
import { behaviourCloningLoss } from '../../core/learn/control/control-policy.ts'
import {
  aggregateTokens,
  clippedSurrogate,
  groupAdvantages,
  klEstimate,
  type Aggregation,
  type KlEstimator,
} from '../../core/learn/algorithms/grpo.ts'
import { ktoBaseline, ktoLoss } from '../../core/learn/algorithms/kto.ts'
import {
  advantageWeights,
  criticTarget,
  expectileValueLoss,
  segmentRewardLoss,
  weightedActorLoss,
} from '../../core/learn/algorithms/piql.ts'
import { hingeRatioLoss, slicLoss } from '../../core/learn/algorithms/slic.ts'
import { diagonalLogProb, tanhLogProb, unitVarianceLogProb } from '../../core/learn/models/gaussian.ts'
import { segmentRegretScore, solveSoftMdp } from '../../core/learn/control/soft-mdp.ts'
import { tf } from '../../core/learn/tf.ts'
import { caseNotCovered, covered, numberOf, out, type Check, type Outputs } from './check.ts'
import { DOUBLE, EXACT, singleFor } from './compare.ts'
import { reader, type Value } from './vectors.ts'

/** Flat rows: segment 1 of every pair, then segment 2 of every pair. [pair, 2, time] → [2 · pair, time] */
function bySide(values: readonly (readonly (readonly number[])[])[]): tf.Tensor2D {
  return tf.tensor2d([...values.map((pair) => [...pair[0]!]), ...values.map((pair) => [...pair[1]!])])
}

const checkCpl: Check = async (vector) => {
  const inputs = reader(vector.inputs, 'inputs')
  const params = reader(vector.params, 'params')
  const scoring = { alpha: params.number('alpha'), gamma: params.number('gamma') }
  const lambda = params.number('lambda')
  const logProbs = inputs.cube('logps')
  const pairs = logProbs.length
  const maskValues = inputs.cube('mask')
  const mask = bySide(maskValues)
  // The reference is taken off in double precision, as training takes it off token by token.
  const reference = inputs.has('ref_logps') ? inputs.cube('ref_logps') : null
  const ratios = logProbs.map((pair, p) =>
    pair.map((row, s) => row.map((value, t) => value - (reference?.[p]?.[s]?.[t] ?? 0))),
  )
  const labels = inputs.vector('label_second_preferred')
  const preferred = tf.tensor1d(labels)
  const scoresOf = (x: tf.Tensor2D): readonly [tf.Tensor1D, tf.Tensor1D] => {
    const scores = segmentScores(x, mask, scoring)
    return [tf.slice(scores, [0], [pairs]), tf.slice(scores, [pairs], [pairs])]
  }
  const perPair = (x: tf.Tensor2D): tf.Tensor1D => cplLoss(...scoresOf(x), preferred, lambda)
  const flat = bySide(ratios)
  const [first, second] = scoresOf(flat)
  const gradient = (await tf
    .grad((x) => tf.mean(perPair(x as tf.Tensor2D)))(flat)
    .array()) as number[][] // as `flat`
  const plain = bySide(logProbs)
  const chosen = bySide(
    maskValues.map((pair, p) =>
      pair.map((row, s) => row.map((value) => (labels[p] === 0.5 || labels[p] === s ? value : 0))),
    ),
  )
  const cloning = async (weights: tf.Tensor2D): Promise<Value> =>
    out(behaviourCloningLoss(plain, weights, await numberOf(tf.sum(weights))))
  const margins = await (tf.sub(second, first) as tf.Tensor1D).array()
  const grads = vector.outputs['grads'] as Record<string, Value>
  const byPair = Array.from({ length: pairs }, (_none, p) => [gradient[p]!, gradient[pairs + p]!])
  const gradients: Record<string, Value> =
    grads['logps'] === undefined
      ? { 'grads.logps_first_step': byPair.map((sides) => sides.map((row) => row[0]!)) }
      : { 'grads.logps': byPair }
  return {
    outputs: [
      ...covered(singleFor(vector.tags), {
        segment_scores: out(tf.stack([first, second], 1)),
        per_sample: out(perPair(flat)),
        loss: out(tf.mean(perPair(flat))),
        bc_loss_all: cloning(mask),
        bc_loss_preferred: cloning(chosen),
        ...gradients,
      }),
      ...covered(EXACT, {
        accuracy_official:
          margins.filter((margin, p) => (margin > 0 ? 1 : 0) === (labels[p]! > 0.5 ? 1 : 0)).length / pairs,
      }),
    ],
    notCovered: [],
  }
}

const checkDensePairs: Check = (vector) => {
  const inputs = reader(vector.inputs, 'inputs')
  const lambda = reader(vector.params, 'params').number('lambda')
  const scores = tf.tensor1d(inputs.vector('segment_scores'))
  const labels = inputs.vector('labels_score')
  const { loss, pairs } = denseCplLoss(scores, labels, lambda)
  const actual: Record<string, Outputs[string]> = {
    loss_strict_pairs: out(loss),
    'grads.segment_scores': out(tf.grad((x) => denseCplLoss(x as tf.Tensor1D, labels, lambda).loss)(scores)),
  }
  if (vector.outputs['loss_official_all_sorted_pairs'] !== undefined)
    actual['loss_official_all_sorted_pairs'] = out(loss) // given only where there is no tie
  return { outputs: [...covered(singleFor(vector.tags), actual), ...covered(EXACT, { pairs })], notCovered: [] }
}

const checkGaussian: Check = (vector) => {
  const inputs = reader(vector.inputs, 'inputs')
  const mean = tf.tensor2d(inputs.matrix('mean'))
  const logStd = tf.tensor2d(inputs.matrix('log_std'))
  const action = tf.tensor2d(inputs.matrix('action'))
  const density = (m: tf.Tensor2D, s: tf.Tensor2D): tf.Tensor1D => {
    if (vector.name === 'unit_variance_official') return unitVarianceLogProb(m, action)
    return vector.name === 'diag_gaussian' ? diagonalLogProb(m, s, action) : tanhLogProb(m, s, action)
  }
  const actual: Record<string, Outputs[string]> = { logp: out(density(mean, logStd)) }
  const sum = (m: tf.Tensor, s: tf.Tensor): tf.Tensor => tf.sum(density(m as tf.Tensor2D, s as tf.Tensor2D))
  actual['grads_of_sum.mean'] = out(tf.grad((m) => sum(m, logStd))(mean))
  if (vector.name !== 'unit_variance_official')
    actual['grads_of_sum.log_std'] = out(tf.grad((s) => sum(mean, s))(logStd))
  return { outputs: covered(singleFor(vector.tags), actual), notCovered: [] }
}

const checkSlic: Check = (vector) => {
  const inputs = reader(vector.inputs, 'inputs')
  const params = reader(vector.params, 'params')
  const chosen = inputs.vector('policy_chosen_logps')
  const rejected = inputs.vector('policy_rejected_logps')
  const overReference = params.text('variant') === 'reference_ratio'
  if (!overReference && params.text('variant') !== 'raw_margin')
    return caseNotCovered(`there is no variant "${params.text('variant')}"`)
  const less = (values: readonly number[], name: string): number[] =>
    overReference ? values.map((value, at) => value - inputs.vector(name)[at]!) : [...values]
  const options = overReference ? null : { delta: params.number('delta'), regularization: params.number('reg_weight') }
  const perPair = (a: tf.Tensor1D, b: tf.Tensor1D): tf.Tensor1D =>
    options === null ? hingeRatioLoss(tf.sub(a, b), params.number('beta')) : slicLoss(a, b, a, options)
  const a = tf.tensor1d(less(chosen, 'ref_chosen_logps'))
  const b = tf.tensor1d(less(rejected, 'ref_rejected_logps'))
  const [gradChosen, gradRejected] = tf.grads((x, y) => tf.mean(perPair(x as tf.Tensor1D, y as tf.Tensor1D)))([a, b])
  const hinge = options === null ? perPair(a, b) : slicLoss(a, b, a, { ...options, regularization: 0 })
  return {
    outputs: covered(singleFor(vector.tags), {
      loss: out(tf.mean(perPair(a, b))),
      per_sample: out(perPair(a, b)),
      active: out(tf.cast(tf.greater(hinge, 0), 'float32')),
      'grads.policy_chosen_logps': out(gradChosen!),
      'grads.policy_rejected_logps': out(gradRejected!),
    }),
    notCovered: [],
  }
}

const checkKto: Check = (vector) => {
  const inputs = reader(vector.inputs, 'inputs')
  const params = reader(vector.params, 'params')
  const difference = (policy: string, reference: string): tf.Tensor1D =>
    tf.tensor1d(inputs.vector(policy).map((value, at) => value - inputs.vector(reference)[at]!))
  const ratios = difference('policy_logps', 'ref_logps')
  const baseline = ktoBaseline(difference('policy_kl_logps', 'ref_kl_logps'))
  const weights = {
    beta: params.number('beta'),
    desirable: params.number('desirable_weight'),
    undesirable: params.number('undesirable_weight'),
  }
  const perRow = (x: tf.Tensor1D): tf.Tensor1D =>
    ktoLoss(x, tf.tensor1d(inputs.vector('label_desirable')), baseline, weights)
  return {
    outputs: covered(singleFor(vector.tags), {
      loss: out(tf.mean(perRow(ratios))),
      per_sample: out(perRow(ratios)),
      kl_baseline: out(baseline),
      'grads.policy_logps': out(tf.grad((x) => tf.mean(perRow(x as tf.Tensor1D)))(ratios)),
    }),
    notCovered: [],
  }
}

const checkGrpo: Check = (vector) => {
  const inputs = reader(vector.inputs, 'inputs')
  const params = reader(vector.params, 'params')
  const mask = tf.tensor2d(inputs.matrix('mask'))
  const old = tf.tensor2d(inputs.matrix('old_logps'))
  const reference = tf.tensor2d(inputs.matrix('ref_logps'))
  const logProbs = tf.tensor2d(inputs.matrix('policy_logps'))
  const advantages = groupAdvantages(inputs.vector('rewards'), inputs.vector('group_ids'), {
    normalize: vector.params['std_normalize'] === true,
    epsilon: params.number('std_eps'),
  })
  const clip = {
    low: params.number('clip_low'),
    high: params.number('clip_high'),
    dual: params.has('dual_clip') ? params.number('dual_clip') : null,
  }
  const aggregate = (x: tf.Tensor2D): tf.Scalar =>
    aggregateTokens(x, mask, params.text('aggregation') as Aggregation, params.number('max_length')) // named as ours are
  const policyLoss = (x: tf.Tensor2D): tf.Scalar => aggregate(clippedSurrogate(x, old, advantages, clip))
  const kl = (x: tf.Tensor2D): tf.Scalar =>
    aggregate(klEstimate(params.text('kl_estimator') as KlEstimator, x, reference))
  const loss = (x: tf.Tensor): tf.Scalar =>
    tf.add(policyLoss(x as tf.Tensor2D), tf.mul(kl(x as tf.Tensor2D), params.number('kl_coef')))
  return {
    outputs: [
      ...covered(singleFor(vector.tags), {
        policy_loss: out(policyLoss(logProbs)),
        kl: out(kl(logProbs)),
        loss: out(loss(logProbs)),
        'grads.policy_logps': out(tf.grad(loss)(logProbs)),
      }),
      ...covered(DOUBLE, { advantages }),
    ],
    notCovered: [],
  }
}

const checkPiql: Check = (vector) => {
  const inputs = reader(vector.inputs, 'inputs')
  const params = reader(vector.params, 'params')
  const matrix = (name: string): tf.Tensor2D => tf.tensor2d(inputs.matrix(name))
  const preferred = tf.tensor1d(inputs.vector('label_second_preferred'))
  const rewardLoss = (first: tf.Tensor, second: tf.Tensor): tf.Scalar =>
    tf.mean(segmentRewardLoss(first as tf.Tensor2D, second as tf.Tensor2D, preferred))
  const [first, second, q1, q2, v, logProbs] = ['reward_seg1', 'reward_seg2', 'q1', 'q2', 'v', 'logp'].map(matrix) as [
    tf.Tensor2D,
    tf.Tensor2D,
    tf.Tensor2D,
    tf.Tensor2D,
    tf.Tensor2D,
    tf.Tensor2D,
  ]
  const valueLoss = (x: tf.Tensor): tf.Scalar => expectileValueLoss(q1, q2, x, params.number('expectile'))
  const advantage = tf.sub(tf.minimum(q1, q2), v)
  const weights = advantageWeights(advantage, params.number('temperature_beta'), params.number('clip'))
  const target = criticTarget(matrix('reward'), matrix('discount'), matrix('v_next'))
  const criticLoss = (a: tf.Tensor, b: tf.Tensor): tf.Scalar =>
    tf.div(tf.add(tf.mean(tf.squaredDifference(a, target)), tf.mean(tf.squaredDifference(b, target))), 2)
  const [gradFirst, gradSecond] = tf.grads(rewardLoss)([first, second])
  const [gradQ1, gradQ2] = tf.grads(criticLoss)([q1, q2])
  return {
    outputs: covered(singleFor(vector.tags), {
      reward_loss: out(rewardLoss(first, second)),
      reward_per_sample: out(segmentRewardLoss(first, second, preferred)),
      value_loss: out(valueLoss(v)),
      advantage: out(advantage),
      weights: out(weights),
      actor_loss: out(weightedActorLoss(logProbs, weights)),
      q_target: out(target),
      q_loss: out(criticLoss(q1, q2)),
      'grads.reward_seg1': out(gradFirst!),
      'grads.reward_seg2': out(gradSecond!),
      'grads.v': out(tf.grad(valueLoss)(v)),
      'grads.logp': out(tf.grad((x) => weightedActorLoss(x, weights))(logProbs)),
      'grads.q1': out(gradQ1!),
      'grads.q2': out(gradQ2!),
    }),
    notCovered: [],
  }
}

const checkSoftMdp: Check = (vector) => {
  const inputs = reader(vector.inputs, 'inputs')
  const params = reader(vector.params, 'params')
  const gamma = params.number('gamma')
  const rewards = inputs.matrix('R')
  const { q, v, advantage, policy } = solveSoftMdp({
    transitions: inputs.cube('P'),
    rewards,
    gamma,
    alpha: params.number('alpha'),
  })
  const states = inputs.matrix('segment_states')
  const actions = inputs.matrix('segment_actions')
  const scores = (by: readonly (readonly number[])[], discount: number): number[] =>
    states.map((row, at) => segmentRegretScore(by, row, actions[at]!, discount))
  const plain = scores(advantage, 1)
  return {
    outputs: covered(
      { absolute: 1e-10, relative: 1e-9 },
      {
        Q: q,
        V: v,
        A: advantage,
        pi: policy,
        segment_regret_score_undiscounted: plain,
        segment_regret_score_discounted: scores(advantage, gamma),
        segment_reward_sum: scores(rewards, 1),
        preference_prob_undiscounted: plain.map((row) => plain.map((column) => 1 / (1 + Math.exp(column - row)))),
      },
    ),
    notCovered: [],
  }
}

/** Preferences between segments, policy gradients on groups, and the soft MDP behind CPL. */
export const PREFERENCE_CHECKS: Readonly<Record<string, Check>> = {
  cpl: checkCpl,
  cpl_dense_pairs: checkDensePairs,
  gaussian_policy: checkGaussian,
  slic_hinge: checkSlic,
  kto: checkKto,
  grpo_ppo: checkGrpo,
  piql: checkPiql,
  tabular_soft_mdp: checkSoftMdp,
}
