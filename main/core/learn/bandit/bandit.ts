// The bandit of the CoPG paper's §5.1 (arXiv 2406.19185) in exact form: gradients are expectations over the data's
// distributions, so that what a method converges to is seen without the noise of sampling. Plain double precision.

export interface Bandit {
  readonly rewards: readonly number[]
  readonly reference: readonly number[]
  /** Where the first and the second completion of a pair come from, independently. */
  readonly mu1: readonly number[]
  readonly mu2: readonly number[]
  readonly beta: number
  /** What importance weights take the data's distributions for, and the most that they may be; absent: what they are, and any size. */
  readonly importance?: { readonly mu1: readonly number[]; readonly mu2: readonly number[]; readonly most: number }
}

export const BANDIT_METHODS = ['copg', 'ipo', 'dpo', 'pg_none', 'pg_value', 'pg_importance'] as const
export type BanditMethod = (typeof BANDIT_METHODS)[number]

/** §5.1: three arms, two lopsided data distributions, a uniform reference. */
export const PAPER_BANDIT: Bandit = {
  rewards: [2.5, 2, 1],
  reference: [1 / 3, 1 / 3, 1 / 3],
  mu1: [0.1, 0.2, 0.7],
  mu2: [0.05, 0.05, 0.9],
  beta: 0.5,
}

/** log Σ π_ref e^{R/β} */
export function logPartition(bandit: Bandit): number {
  const exponents = bandit.rewards.map((reward, arm) => Math.log(bandit.reference[arm]!) + reward / bandit.beta)
  const top = Math.max(...exponents)
  return top + Math.log(exponents.reduce((sum, value) => sum + Math.exp(value - top), 0))
}

/** π* = π_ref e^{R/β} / Z, the one optimum of J. */
export function optimalPolicy(bandit: Bandit): number[] {
  const log = logPartition(bandit)
  return bandit.rewards.map((reward, arm) => Math.exp(Math.log(bandit.reference[arm]!) + reward / bandit.beta - log))
}

/** J(π) = E_π[R] − β KL(π‖π_ref). */
export function banditValue(bandit: Bandit, policy: readonly number[]): number {
  return policy.reduce(
    (sum, share, arm) => (share === 0 ? sum : sum + share * regularizedReward(bandit, share, arm)),
    0,
  )
}

export function banditRegret(bandit: Bandit, policy: readonly number[]): number {
  return banditValue(bandit, optimalPolicy(bandit)) - banditValue(bandit, policy)
}

export interface BanditResult {
  readonly policy: readonly number[]
  readonly regret: number
  /** Regret after each of the steps asked for. */
  readonly regretByStep: readonly (readonly [step: number, regret: number])[]
  /** The policy at the same steps. */
  readonly policyByStep: readonly (readonly number[])[]
}

export interface BanditTraining {
  readonly learningRate: number
  readonly steps: number
  readonly reportAt?: readonly number[]
  /** The policy to begin with; absent: the reference. */
  readonly start?: readonly number[]
}

/** Arms that the reference plays and the data never shows: what an off-policy method does there is left to its start. */
export function unsupportedArms({ reference, mu1, mu2 }: Bandit): number[] {
  return Array.from(reference.keys()).filter((arm) => reference[arm]! > 0 && mu1[arm]! + mu2[arm]! === 0)
}

/** Gradient ascent on softmax logits from log π_ref, with the whole expectation as the gradient. */
export function trainBandit(bandit: Bandit, method: BanditMethod, options: BanditTraining): BanditResult {
  const report = new Set(options.reportAt ?? [])
  const regretByStep: (readonly [number, number])[] = []
  const policyByStep: (readonly number[])[] = []
  let logits = (options.start ?? bandit.reference).map((share) => Math.log(share))
  for (let step = 1; step <= options.steps; step += 1) {
    const policy = softmax(logits)
    const gradient = logitGradient(policy, armWeights(bandit, method, policy))
    logits = logits.map((logit, arm) => logit + options.learningRate * gradient[arm]!)
    if (!report.has(step)) continue
    policyByStep.push(softmax(logits))
    regretByStep.push([step, banditRegret(bandit, softmax(logits))])
  }
  const policy = softmax(logits)
  return { policy, regret: banditRegret(bandit, policy), regretByStep, policyByStep }
}

/** How much each arm's log-probability is pushed up, before the softmax takes the mean away: Σ weight · ∇ log π. */
export function armWeights(bandit: Bandit, method: BanditMethod, policy: readonly number[]): number[] {
  if (method === 'pg_none' || method === 'pg_value' || method === 'pg_importance')
    return policyGradientWeights(bandit, method, policy)
  const weights = policy.map(() => 0)
  for (const first of policy.keys()) {
    for (const second of policy.keys()) {
      const push = bandit.mu1[first]! * bandit.mu2[second]! * pairPush(bandit, method, policy, first, second)
      weights[first]! += push
      weights[second]! -= push
    }
  }
  return weights
}

/** −∂loss/∂Δr of one ordered pair, its label drawn from Bradley–Terry on the rewards where the method uses labels. */
function pairPush(
  bandit: Bandit,
  method: Exclude<BanditMethod, PolicyGradient>,
  policy: readonly number[],
  first: number,
  second: number,
): number {
  const { beta } = bandit
  const rewardDifference = bandit.rewards[first]! - bandit.rewards[second]!
  const difference = logRatio(bandit, policy[first]!, first) - logRatio(bandit, policy[second]!, second)
  if (method === 'copg') return rewardDifference - beta * difference
  const preference = sigmoid(rewardDifference)
  if (method === 'ipo') return preference - 0.5 - beta * difference
  return beta * (preference - sigmoid(beta * difference))
}

type PolicyGradient = 'pg_none' | 'pg_value' | 'pg_importance'

function policyGradientWeights(bandit: Bandit, method: PolicyGradient, policy: readonly number[]): number[] {
  const { mu1, mu2 } = bandit
  const baseline = method === 'pg_none' ? 0 : policy.reduce((sum, share, arm) => sum + share * bandit.rewards[arm]!, 0)
  return policy.map((share, arm) => {
    const shown =
      method === 'pg_importance'
        ? mu1[arm]! * importanceWeight(bandit, 'mu1', share, arm) +
          mu2[arm]! * importanceWeight(bandit, 'mu2', share, arm)
        : mu1[arm]! + mu2[arm]!
    return shown * (regularizedReward(bandit, share, arm) - baseline)
  })
}

/** π/μ of an arm that the data shows, at most as large as allowed (SPEC §5.6); 0 of one that it is taken not to show. */
export function importanceWeight(bandit: Bandit, from: 'mu1' | 'mu2', share: number, arm: number): number {
  const { most = Number.POSITIVE_INFINITY } = bandit.importance ?? {}
  const mu = (bandit.importance ?? bandit)[from][arm]!
  return mu === 0 ? 0 : Math.min(most, share / mu)
}

function regularizedReward(bandit: Bandit, share: number, arm: number): number {
  return bandit.rewards[arm]! - bandit.beta * logRatio(bandit, share, arm)
}

function logRatio(bandit: Bandit, share: number, arm: number): number {
  return Math.log(share) - Math.log(bandit.reference[arm]!)
}

/** ∂ log π(arm)/∂ logits = onehot − π, summed with the weights. */
export function logitGradient(policy: readonly number[], weights: readonly number[]): number[] {
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  return policy.map((share, arm) => weights[arm]! - share * total)
}

export function softmax(logits: readonly number[]): number[] {
  const top = Math.max(...logits)
  const exponents = logits.map((logit) => Math.exp(logit - top))
  const total = exponents.reduce((sum, value) => sum + value, 0)
  return exponents.map((value) => value / total)
}

function sigmoid(x: number): number {
  return x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x))
}
