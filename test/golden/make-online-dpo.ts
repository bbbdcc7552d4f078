// Makes online-dpo.json: node test/golden/make-online-dpo.ts > test/golden/online-dpo.json. Written out from Guo et al. 2024
// (arXiv 2402.04792), Eq. 1 on two completions of each prompt, of which the one of larger reward is preferred. Gradients
// are derived by hand, and held against central differences before anything is printed.
import { completions, uniform } from './pair-cases.ts'
import { minusLogSigmoid, rounded, sigmoid, sum } from './pair-losses.ts'

interface Inputs {
  /** [prompt][completion][token], one or two completions of a prompt */
  readonly policy: readonly (readonly (readonly number[])[])[]
  readonly reference: readonly (readonly (readonly number[])[])[]
  readonly rewards: readonly (readonly number[])[]
  readonly weight?: readonly number[]
}

interface Case {
  readonly name: string
  readonly inputs: Inputs
  readonly beta?: number
  readonly tags: readonly string[]
}

/** Of one prompt with two completions. */
interface Duel {
  /** −1, 0 or 1: which reward is larger. */
  readonly better: number
  /** Δ = r(y₀) − r(y₁) */
  readonly difference: number
  readonly gap: number
}

function duelOf({ policy, reference, rewards }: Inputs, prompt: number): Duel | null {
  const [first, second] = policy[prompt]!.map((row, k) => sum(row) - sum(reference[prompt]![k]!))
  const [one, other] = rewards[prompt]!
  if (first === undefined || second === undefined || one === undefined || other === undefined) return null
  return { better: Math.sign(one - other), difference: first - second, gap: Math.abs(one - other) }
}

function shareOf({ policy, weight }: Inputs, of: (prompt: number) => number): number {
  const weights = policy.map((_rows, at) => weight?.[at] ?? 1)
  return sum(weights.map((one, at) => one * of(at))) / sum(weights)
}

function lossOf(inputs: Inputs, beta: number): number {
  return shareOf(inputs, (prompt) => {
    const duel = duelOf(inputs, prompt)
    if (duel === null) return 0
    const z = beta * duel.difference
    if (duel.better !== 0) return minusLogSigmoid(duel.better * z)
    return (minusLogSigmoid(z) + minusLogSigmoid(-z)) / 2
  })
}

/** dL/dΔ = −β·s·σ(−sβΔ) for a winner, and β(σ(βΔ) − ½) for a tie; each token moves Δ by 1, of the second by −1. */
function gradientsOf(inputs: Inputs, beta: number): number[][][] {
  return inputs.policy.map((rows, prompt) => {
    const duel = duelOf(inputs, prompt)
    if (duel === null) return rows.map((row) => row.map(() => 0))
    const z = beta * duel.difference
    const slope = duel.better === 0 ? sigmoid(z) - 0.5 : -duel.better * sigmoid(-duel.better * z)
    const share = shareOf(inputs, (at) => (at === prompt ? 1 : 0))
    return rows.map((row, k) => row.map(() => (k === 0 ? 1 : -1) * share * beta * slope))
  })
}

/** @throws Error where the derivation by hand is wrong */
function holdAgainstDifferences(name: string, inputs: Inputs, beta: number): void {
  const byHand = gradientsOf(inputs, beta)
  inputs.policy.forEach((rows, prompt) =>
    rows.forEach((row, k) =>
      row.forEach((value, token) => {
        const step = 1e-5 * Math.max(1, Math.abs(value))
        const moved = (by: number): number => {
          const policy = inputs.policy.map((all, i) =>
            i === prompt ? all.map((one, j) => (j === k ? one.map((x, t) => (t === token ? x + by : x)) : one)) : all,
          )
          return lossOf({ ...inputs, policy }, beta)
        }
        const difference = (moved(step) - moved(-step)) / (2 * step)
        if (Math.abs(difference - byHand[prompt]![k]![token]!) > 1e-8 + 1e-6 * Math.abs(difference))
          throw new Error(
            `${name}: the gradient at ${prompt}, ${k}, ${token} is ${byHand[prompt]![k]![token]}, by differences ${difference}`,
          )
      }),
    ),
  )
}

function metricsOf(inputs: Inputs, beta: number): Record<string, number> {
  const ofDuels = (of: (duel: Duel) => number): number =>
    shareOf(inputs, (prompt) => {
      const duel = duelOf(inputs, prompt)
      return duel === null ? 0 : of(duel)
    })
  const ofTokens = (of: (policy: number, reference: number) => number): number =>
    shareOf(inputs, (prompt) => {
      const rows = inputs.policy[prompt]!
      const perRow = rows.map((row, k) => sum(row.map((value, t) => of(value, inputs.reference[prompt]![k]![t]!))))
      return sum(perRow) / rows.length
    })
  return {
    'scores/margins': ofDuels(({ gap }) => gap),
    'rewards/margins': ofDuels(({ better, difference }) => beta * better * difference),
    'rewards/accuracies': ofDuels(({ better, difference }) => (1 + better * Math.sign(difference)) / 2),
    'kl/k1': ofTokens((policy, reference) => policy - reference),
    'kl/k3': ofTokens((policy, reference) => Math.expm1(reference - policy) - (reference - policy)),
  }
}

/** Pairs of completions, and a reference so far from the policy. */
function drawn(low = -6, apart = 1): Omit<Inputs, 'rewards'> {
  const [first, second] = [completions([1, 3, 6, 12, 2], low), completions([4, 3, 1, 7, 17], low)]
  const policy = first.map((row, at) => [row, second[at]!])
  const beside = (row: readonly number[]): number[] =>
    row.map((value) => Number((value + apart * (uniform() - 0.5)).toFixed(4)))
  return { policy, reference: policy.map((rows) => rows.map(beside)) }
}

const REWARDS = [
  [1, 0],
  [-0.5, 2],
  [0.25, 0.25],
  [3, 2.5],
  [-1, -1],
]

const cases: readonly Case[] = [
  { name: 'defaults', inputs: { ...drawn(), rewards: REWARDS }, tags: ['random'] },
  { name: 'small_beta', inputs: { ...drawn(), rewards: REWARDS }, beta: 0.01, tags: ['random'] },
  { name: 'large_beta', inputs: { ...drawn(), rewards: REWARDS }, beta: 2, tags: ['random'] },
  // By how much the better one is better makes no difference.
  {
    name: 'far_rewards',
    inputs: { ...drawn(), rewards: REWARDS.map((row) => row.map((x) => 1000 * x)) },
    tags: ['random'],
  },
  { name: 'all_ties', inputs: { ...drawn(), rewards: REWARDS.map(() => [0.5, 0.5]) }, tags: ['ties'] },
  { name: 'weights', inputs: { ...drawn(), rewards: REWARDS, weight: [1, 0.5, 2, 0, 1.5] }, tags: ['weights'] },
  {
    name: 'first_steps',
    inputs: { policy: [[[-1, -2], [-3]]], reference: [[[-1, -2], [-3]]], rewards: [[0, 1]] },
    tags: ['zero'],
  },
  { name: 'far_apart', inputs: { ...drawn(-60, 20), rewards: REWARDS }, tags: ['extreme'] },
  {
    name: 'a_prompt_with_one_completion',
    inputs: {
      policy: [[[-1, -2], [-0.5]], [[-3, -0.25]]],
      reference: [[[-1.5, -2.5], [-0.25]], [[-2, -0.5]]],
      rewards: [[1, 0], [5]],
    },
    tags: ['missing'],
  },
  {
    name: 'long',
    inputs: {
      policy: [[completions([400], -6)[0]!, completions([150], -6)[0]!]],
      reference: [[completions([400], -6)[0]!, completions([150], -6)[0]!]],
      rewards: [[0.1, 0.2]],
    },
    tags: ['long'],
  },
]

const made = cases.map(({ name, inputs, beta = 0.1, tags }) => {
  holdAgainstDifferences(name, inputs, beta)
  return {
    name,
    inputs: {
      policy_token_logps: inputs.policy,
      ref_token_logps: inputs.reference,
      rewards: inputs.rewards,
      ...(inputs.weight === undefined ? {} : { weight: inputs.weight }),
    },
    params: { config: { beta, rewards: { kind: 'length', target: 5 } } },
    outputs: rounded({
      loss: lossOf(inputs, beta),
      metrics: metricsOf(inputs, beta),
      grads: { policy_token_logps: gradientsOf(inputs, beta) },
    }),
    tags,
  }
})
const spec = 'Online DPO, Guo et al. 2024, Eq. 1 on judged pairs; made by make-online-dpo.ts'
process.stdout.write(`${JSON.stringify({ format: 1, dtype: 'float64', spec, cases: made })}\n`)
