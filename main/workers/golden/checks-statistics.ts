import { cohenKappa, fleissKappa, krippendorffAlpha, observedAgreement } from '../../../shared/statistics/agreement.ts'
import {
  basicInterval,
  bcaInterval,
  bootstrapPValue,
  percentileInterval,
  resampleMeans,
} from '../../../shared/statistics/bootstrap.ts'
import {
  mean,
  signTest,
  standardDeviation,
  standardError,
  wilsonInterval,
  type Bounds,
} from '../../../shared/statistics/intervals.ts'
import {
  BANDIT_METHODS,
  banditValue,
  logPartition,
  optimalPolicy,
  banditRegret,
  trainBandit,
  type Bandit,
} from '../../core/learn/bandit/bandit.ts'
import { caseNotCovered, covered, type Check, type CheckedOutput } from './check.ts'
import { DOUBLE } from './compare.ts'
import { reader, type Reader, type Value } from './vectors.ts'

const LEVELS = ['nominal', 'ordinal', 'interval', 'ratio'] as const
const WEIGHTS = ['none', 'linear', 'quadratic'] as const

/** Cohen's κ, Krippendorff's α or Fleiss' κ, by the inputs that are there. */
export const checkAgreement: Check = (vector) => {
  const inputs = reader(vector.inputs, 'inputs')
  if (inputs.has('rater_a')) {
    const [a, b] = [inputs.vector('rater_a'), inputs.vector('rater_b')]
    const categories = reader(vector.params, 'params').vector('categories')
    const kappas = Object.fromEntries(
      WEIGHTS.map((weights) => [`kappa_${weights}`, cohenKappa(a, b, categories, weights)]),
    )
    return { outputs: covered(DOUBLE, { ...kappas, observed_agreement: observedAgreement(a, b) }), notCovered: [] }
  }
  if (inputs.has('coders_by_units')) {
    const coders = inputs.raw('coders_by_units') as (number | null)[][] // null stands for a missing answer
    return {
      outputs: covered(
        DOUBLE,
        Object.fromEntries(LEVELS.map((level) => [`alpha_${level}`, krippendorffAlpha(coders, level)])),
      ),
      notCovered: [],
    }
  }
  if (inputs.has('counts'))
    return { outputs: covered(DOUBLE, { kappa: fleissKappa(inputs.matrix('counts')) }), notCovered: [] }
  return caseNotCovered('no measure of agreement is recognized in it')
}

/** Bootstrap intervals over given resamples, Wilson's interval or the sign test. */
export const checkBootstrap: Check = (vector) => {
  const inputs = reader(vector.inputs, 'inputs')
  const level = reader(vector.params, 'params').numberOr('level', 0.95)
  if (inputs.has('resample_indices')) return { outputs: bootstrapOutputs(inputs, level), notCovered: [] }
  if (inputs.has('trials'))
    return {
      outputs: covered(DOUBLE, {
        interval: bounds(wilsonInterval(inputs.number('successes'), inputs.number('trials'), level)),
      }),
      notCovered: [],
    }
  if (inputs.has('wins'))
    return {
      outputs: covered(DOUBLE, { p_two_sided: signTest(inputs.number('wins'), inputs.number('losses')) }),
      notCovered: [],
    }
  return caseNotCovered('no interval or test is recognized in it')
}

function bootstrapOutputs(inputs: Reader, level: number): CheckedOutput[] {
  const values = inputs.vector('values')
  const means = resampleMeans(values, inputs.matrix('resample_indices'))
  const bca = bcaInterval(values, means, level)
  return covered(DOUBLE, {
    mean: mean(values),
    sd_unbiased: standardDeviation(values),
    standard_error: standardError(values),
    percentile_ci: bounds(percentileInterval(means, level)),
    basic_ci: bounds(basicInterval(mean(values), means, level)),
    bootstrap_se: standardDeviation(means),
    bca_z0: bca.z0,
    bca_acceleration: bca.acceleration,
    bca_alphas: [...bca.alphas],
    bca_ci: bounds(bca),
    two_sided_bootstrap_p: bootstrapPValue(means),
  })
}

function bounds({ low, high }: Bounds): Value {
  return [low, high]
}

/** Closed-form optimum, and where each method's population gradient leads. */
export const checkBandit: Check = (vector) => {
  const inputs = reader(vector.inputs, 'inputs')
  const params = reader(vector.params, 'params')
  const bandit: Bandit = {
    rewards: inputs.vector('rewards'),
    reference: inputs.vector('pi_ref'),
    mu1: inputs.vector('mu1'),
    mu2: inputs.vector('mu2'),
    beta: params.number('beta'),
  }
  const optimum = optimalPolicy(bandit)
  const actual: Record<string, Value> = {
    pi_star: optimum,
    J_star: banditValue(bandit, optimum),
    J_ref: banditValue(bandit, bandit.reference),
    regret_ref: banditRegret(bandit, bandit.reference),
    log_partition: logPartition(bandit),
  }
  const expected = vector.outputs['methods'] as Readonly<Record<string, Readonly<Record<string, Value>>>> // one record a method
  const notCovered = Object.keys(expected)
    .filter((name) => !BANDIT_METHODS.some((method) => method === name))
    .map((name) => `methods.${name}: there is no such method`)
  for (const method of BANDIT_METHODS) {
    if (expected[method] === undefined) continue
    const steps = (expected[method]['regret_by_step'] as [number, number][] | undefined) ?? []
    const result = trainBandit(bandit, method, {
      learningRate: params.number('population_gradient_ascent_lr'),
      steps: params.number('steps'),
      reportAt: steps.map(([step]) => step),
    })
    actual[`methods.${method}.policy`] = result.policy
    actual[`methods.${method}.regret`] = result.regret
    actual[`methods.${method}.regret_by_step`] = result.regretByStep
  }
  return { outputs: covered(DOUBLE, actual), notCovered }
}
