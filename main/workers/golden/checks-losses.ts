import type { TokenBatch } from '../../core/learn/define.ts'
import { copgGroupLoss, copgLoss, copgResidual } from '../../core/learn/algorithms/copg.ts'
import { dpoLoss } from '../../core/learn/algorithms/dpo.ts'
import { ipoLoss } from '../../core/learn/algorithms/ipo.ts'
import { rewardModelLoss } from '../../core/learn/algorithms/reward-model.ts'
import { advantages, policyGradientLoss, regularizedRewards, type Baseline } from '../../core/learn/algorithms/rloo.ts'
import { sequenceMeanLoss, sftLoss } from '../../core/learn/algorithms/sft.ts'
import {
  agreementWithLabel,
  completionLengths,
  fractionGreater,
  sequenceLogProbs,
  tokenEntropies,
  tokenLogProbsFromLogits,
  meanOverTokens,
} from '../../core/learn/ops.ts'
import { tf } from '../../core/learn/tf.ts'
import {
  caseNotCovered,
  covered,
  numberOf,
  out,
  type Check,
  type CheckedOutput,
  type CheckResult,
  type Outputs,
} from './check.ts'
import { EXACT, singleFor, type Tolerance } from './compare.ts'
import { reader, type GoldenCase, type Reader } from './vectors.ts'

/** log π − log π_ref in double precision, before it becomes float32: training forms it token by token, so that near −2000 nothing is lost there either. */
function ratios(policy: readonly number[], reference: readonly number[]): tf.Tensor1D {
  return tf.tensor1d(policy.map((value, index) => value - reference[index]!))
}

function ratioMatrix(policy: readonly (readonly number[])[], reference: readonly (readonly number[])[]): tf.Tensor2D {
  return tf.tensor2d(policy.map((row, at) => row.map((value, index) => value - reference[at]![index]!)))
}

function tokensOf(inputs: Reader): TokenBatch {
  return {
    ids: tf.tensor2d(inputs.matrix('input_ids'), undefined, 'int32'),
    attention: tf.tensor2d(inputs.matrix('attention_mask')),
    completion: tf.tensor2d(inputs.matrix('completion_mask')),
  }
}

const checkSequenceLogProbs: Check = async (vector) => {
  const inputs = reader(vector.inputs, 'inputs')
  const tokens = tokensOf(inputs)
  const logits = tf.tensor3d(inputs.cube('logits'))
  const lengths = completionLengths(tokens)
  const total = await numberOf(lengths.sum())
  const perToken = tokenLogProbsFromLogits(logits, tokens)
  const sums = sequenceLogProbs(perToken)
  const sumOf = (x: tf.Tensor): tf.Tensor => tf.sum(sequenceLogProbs(tokenLogProbsFromLogits(x as tf.Tensor3D, tokens)))
  const ones = tf.ones<tf.Rank.R1>([lengths.shape[0]])
  const lossOf = (x: tf.Tensor): tf.Tensor => sftLoss(tokenLogProbsFromLogits(x as tf.Tensor3D, tokens), ones, total)
  const perTokenRows = await perToken.array()
  const actual: Record<string, Outputs[string]> = {
    per_token_logps: perTokenRows,
    per_token_entropy: out(tokenEntropies(logits, tokens)),
    token_count: out(lengths),
    sum_logp: out(sums),
    mean_logp: out(meanOverTokens(sums, lengths)),
    sft_token_mean_loss: out(lossOf(logits)),
    sft_sequence_mean_loss: out(sequenceMeanLoss(perToken, lengths)),
  }
  if (vector.outputs['grad_logits_of_sum_logp'] !== undefined)
    actual['grad_logits_of_sum_logp'] = out(tf.grad(sumOf)(logits))
  if (vector.outputs['grad_logits_of_token_mean_loss'] !== undefined)
    actual['grad_logits_of_token_mean_loss'] = out(tf.grad(lossOf)(logits))
  return { outputs: [...covered(singleFor(vector.tags), actual), ...maskedZeros(vector, perTokenRows)], notCovered: [] }
}

/** Masked positions must be exactly 0, whatever the tolerance: the vector's own values, but ours where it has a 0. */
function maskedZeros(vector: GoldenCase, ours: readonly (readonly number[])[]): CheckedOutput[] {
  const expected = reader(vector.outputs, 'outputs').matrix('per_token_logps')
  return covered(EXACT, {
    per_token_logps: expected.map((row, at) => row.map((value, index) => (value === 0 ? ours[at]![index]! : value))),
  })
}

interface PairInputs {
  readonly chosen: tf.Tensor1D
  readonly rejected: tf.Tensor1D
  readonly preference: tf.Tensor1D
  readonly chosenLengths: tf.Tensor1D | null
  readonly rejectedLengths: tf.Tensor1D | null
}

function pairInputs(inputs: Reader): PairInputs {
  const chosen = ratios(inputs.vector('policy_chosen_logps'), inputs.vector('ref_chosen_logps'))
  return {
    chosen,
    rejected: ratios(inputs.vector('policy_rejected_logps'), inputs.vector('ref_rejected_logps')),
    preference: tf.onesLike(chosen),
    chosenLengths: inputs.has('chosen_lengths') ? tf.tensor1d(inputs.vector('chosen_lengths')) : null,
    rejectedLengths: inputs.has('rejected_lengths') ? tf.tensor1d(inputs.vector('rejected_lengths')) : null,
  }
}

type PairLoss = (chosen: tf.Tensor1D, rejected: tf.Tensor1D) => tf.Tensor1D

/** Loss, per-sample losses, and the gradient with respect to both sides' log-probs, which is that of the log-ratios. */
function pairLosses(
  perPair: PairLoss,
  chosen: tf.Tensor1D,
  rejected: tf.Tensor1D,
  names: readonly [string, string],
): Outputs {
  const [gradChosen, gradRejected] = tf.grads((a, b) => tf.mean(perPair(a as tf.Tensor1D, b as tf.Tensor1D)))([
    chosen,
    rejected,
  ])
  const samples = perPair(chosen, rejected)
  return {
    loss: out(tf.mean(samples)),
    per_sample: out(samples),
    [`grads.${names[0]}`]: out(gradChosen!),
    [`grads.${names[1]}`]: out(gradRejected!),
  }
}

/** Slack for samples whose two sides differ by less than float32 can tell, though not in double precision. */
function accuracyTolerance(vector: GoldenCase): Tolerance {
  const margins = vector.outputs['margins']
  if (!Array.isArray(margins) || margins.length === 0) return { absolute: 1e-6, relative: 0 }
  const unclear = margins.filter((margin) => margin !== 0 && Math.abs(Number(margin)) < 1e-6).length
  return { absolute: 1e-6 + unclear / margins.length, relative: 0 }
}

const LOG_PROB_NAMES = ['policy_chosen_logps', 'policy_rejected_logps'] as const
const SCORE_NAMES = ['chosen_scores', 'rejected_scores'] as const

const checkDpo: Check = (vector) => {
  const { chosen, rejected, preference } = pairInputs(reader(vector.inputs, 'inputs'))
  const params = reader(vector.params, 'params')
  const beta = params.number('beta')
  const variant = params.has('variant') ? params.text('variant') : 'sigmoid'
  if (variant !== 'sigmoid' && variant !== 'conservative' && variant !== 'robust')
    return caseNotCovered(`there is no DPO variant "${variant}"`)
  const options = {
    beta,
    labelSmoothing: variant === 'sigmoid' ? 0 : params.numberOr('label_smoothing', 0),
    smoothing: variant === 'robust' ? 'robust' : 'conservative',
  } as const
  const perPair: PairLoss = (a, b) => dpoLoss(tf.sub(a, b), preference, options)
  const losses = pairLosses(perPair, chosen, rejected, LOG_PROB_NAMES)
  const rewards = { chosen: tf.mul(chosen, beta) as tf.Tensor1D, rejected: tf.mul(rejected, beta) as tf.Tensor1D }
  const above = fractionGreater(rewards.chosen, rewards.rejected)
  return {
    outputs: [
      ...covered(singleFor(vector.tags), {
        ...losses,
        chosen_rewards: out(rewards.chosen),
        rejected_rewards: out(rewards.rejected),
        margins: out(tf.sub(rewards.chosen, rewards.rejected)),
      }),
      ...covered(accuracyTolerance(vector), {
        accuracy: out(tf.mean(tf.floor(above))),
        accuracy_ties_half: out(tf.mean(agreementWithLabel(rewards.chosen, rewards.rejected, preference))),
      }),
    ],
    notCovered: [],
  }
}

const checkIpo: Check = (vector) => {
  const { chosen, rejected, preference, chosenLengths, rejectedLengths } = pairInputs(reader(vector.inputs, 'inputs'))
  const params = reader(vector.params, 'params')
  const variant = params.has('variant') ? params.text('variant') : 'sum'
  if (variant !== 'sum' && variant !== 'length_normalized')
    return caseNotCovered(`there is no IPO variant "${variant}"`)
  const scale = (x: tf.Tensor1D, lengths: tf.Tensor1D | null): tf.Tensor1D =>
    variant === 'sum' || lengths === null ? x : meanOverTokens(x, lengths)
  const difference = (a: tf.Tensor1D, b: tf.Tensor1D): tf.Tensor1D =>
    tf.sub(scale(a, chosenLengths), scale(b, rejectedLengths))
  const losses = pairLosses(
    (a, b) => ipoLoss(difference(a, b), preference, params.number('beta')),
    chosen,
    rejected,
    LOG_PROB_NAMES,
  )
  return {
    outputs: covered(singleFor(vector.tags), { ...losses, delta: out(difference(chosen, rejected)) }),
    notCovered: [],
  }
}

const checkRewardModel: Check = (vector) => {
  const inputs = reader(vector.inputs, 'inputs')
  const params = reader(vector.params, 'params')
  const chosen = tf.tensor1d(inputs.vector('chosen_scores'))
  const rejected = tf.tensor1d(inputs.vector('rejected_scores'))
  const options = { margin: params.numberOr('margin', 0), centering: params.numberOr('center_coef', 0) }
  const losses = pairLosses(
    (a, b) => rewardModelLoss(a, b, tf.onesLike(chosen), options),
    chosen,
    rejected,
    SCORE_NAMES,
  )
  return {
    outputs: [
      ...covered(singleFor(vector.tags), losses),
      ...covered(
        { absolute: 1e-6, relative: 0 },
        { accuracy: out(tf.mean(tf.floor(fractionGreater(chosen, rejected)))) },
      ),
    ],
    notCovered: [],
  }
}

const checkCopgPair: Check = (vector) => {
  const inputs = reader(vector.inputs, 'inputs')
  const beta = reader(vector.params, 'params').number('beta')
  const rewards = inputs.matrix('rewards')
  const ratio = ratioMatrix(inputs.matrix('policy_logps'), inputs.matrix('ref_logps'))
  const rewardDifference = tf.tensor1d(rewards.map((row) => row[0]! - row[1]!))
  const difference = (x: tf.Tensor2D): tf.Tensor1D =>
    tf.sub(tf.slice(x, [0, 0], [-1, 1]), tf.slice(x, [0, 1], [-1, 1])).reshape([-1])
  const perPair = (x: tf.Tensor2D): tf.Tensor1D => copgLoss(rewardDifference, difference(x), beta)
  const halfSquare = (x: tf.Tensor1D): Outputs[string] => out(tf.div(tf.square(x), 2 * beta))
  return {
    outputs: covered(singleFor(vector.tags), {
      loss: out(tf.mean(perPair(ratio))),
      loss_per_sample: out(perPair(ratio)),
      ell_per_sample: out(tf.neg(perPair(ratio))),
      regularized_rewards: out(regularizedRewards(tf.tensor2d(rewards), ratio, beta)),
      squared_form_per_sample: halfSquare(copgResidual(rewardDifference, difference(ratio), beta)),
      squared_form_constant: halfSquare(rewardDifference),
      'grads.policy_logps': out(tf.grad((x) => tf.mean(perPair(x as tf.Tensor2D)))(ratio)),
    }),
    notCovered: [],
  }
}

const checkCopgGroup: Check = (vector) => {
  const inputs = reader(vector.inputs, 'inputs')
  const beta = reader(vector.params, 'params').number('beta')
  const rewards = inputs.matrix('rewards')
  const mask = inputs.has('mask') ? inputs.matrix('mask') : rewards.map((row) => row.map(() => 1))
  const ratio = ratioMatrix(inputs.matrix('policy_logps'), inputs.matrix('ref_logps'))
  const prompts = mask.filter((row) => row.filter((value) => value > 0).length >= 2).length
  const perPrompt = (x: tf.Tensor2D): tf.Tensor1D => copgGroupLoss(tf.tensor2d(rewards), x, tf.tensor2d(mask), beta)
  const loss = (x: tf.Tensor): tf.Scalar => tf.div(tf.sum(perPrompt(x as tf.Tensor2D)), Math.max(1, prompts))
  return {
    outputs: covered(singleFor(vector.tags), {
      loss: out(loss(ratio)),
      per_prompt: out(perPrompt(ratio)),
      'grads.policy_logps': out(tf.grad(loss)(ratio)),
    }),
    notCovered: [],
  }
}

const BASELINES: Readonly<Record<string, Baseline>> = {
  none: 'none',
  constant: 'constant',
  rloo: 'rloo',
  group_mean: 'group-mean',
}

const checkPolicyGradient: Check = (vector): CheckResult => {
  const inputs = reader(vector.inputs, 'inputs')
  const params = reader(vector.params, 'params')
  const baseline = BASELINES[params.text('baseline')]
  if (baseline === undefined) return caseNotCovered(`there is no baseline "${params.text('baseline')}"`)
  const policy = inputs.matrix('policy_logps')
  const reference = inputs.matrix('ref_logps')
  const logProbs = tf.tensor2d(policy)
  const regularizedAt = (ratio: tf.Tensor2D): tf.Tensor2D =>
    regularizedRewards(tf.tensor2d(inputs.matrix('rewards')), ratio, params.number('beta'))
  const advantageOf = (rewards: tf.Tensor2D): tf.Tensor2D =>
    advantages(rewards, baseline, params.numberOr('constant', 0))
  const regularized = regularizedAt(ratioMatrix(policy, reference))
  const advantage = advantageOf(regularized)
  const perSample = policyGradientLoss(logProbs, advantage)
  // The advantage is formed inside the gradient's reach, so that a gradient leaking through it would show.
  const lossAt = (x: tf.Tensor): tf.Tensor => {
    const free = advantageOf(regularizedAt(tf.sub(x, tf.tensor2d(reference)) as tf.Tensor2D))
    return tf.mean(policyGradientLoss(x as tf.Tensor2D, free))
  }
  return {
    outputs: covered(singleFor(vector.tags), {
      regularized_rewards: out(regularized),
      advantages: out(advantage),
      per_sample: out(perSample),
      loss: out(tf.mean(perSample)),
      'grads.policy_logps': out(tf.grad(lossAt)(logProbs)),
    }),
    notCovered: [],
  }
}

export const LOSS_CHECKS: Readonly<Record<string, Check>> = {
  seq_logprob_sft: checkSequenceLogProbs,
  dpo: checkDpo,
  ipo: checkIpo,
  copg_pair: checkCopgPair,
  copg_group: checkCopgGroup,
  policy_gradient: checkPolicyGradient,
  reward_model_bt: checkRewardModel,
}
