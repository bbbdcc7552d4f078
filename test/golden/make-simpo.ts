// Makes simpo.json, in double precision and with none of Pairlab's own code: node test/golden/make-simpo.ts > test/golden/simpo.json
// Losses are written out from Meng et al. 2024 (arXiv 2405.14734), Eq. 6; gradients are derived by hand and held against
// central differences before anything is printed.

interface Settings {
  readonly beta: number
  readonly gammaRatio: number
  readonly labelSmoothing: number
  readonly useStrength: boolean
}

interface Inputs {
  /** Log-prob of each token of each completion. */
  readonly policy_chosen_token_logps: number[][]
  readonly policy_rejected_token_logps: number[][]
  readonly preference?: number[]
  readonly strength?: number[]
  readonly weight?: number[]
}

/** −log σ(z) */
function minusLogSigmoid(z: number): number {
  return z > 0 ? Math.log1p(Math.exp(-z)) : Math.log1p(Math.exp(z)) - z
}

function sigmoid(z: number): number {
  return z > 0 ? 1 / (1 + Math.exp(-z)) : Math.exp(z) / (1 + Math.exp(z))
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}

function meanOf(values: readonly number[]): number {
  return sum(values) / values.length
}

function labelOf(inputs: Inputs, at: number, { useStrength }: Settings): number {
  const p = inputs.preference?.[at] ?? 1
  return useStrength ? 0.5 + (p - 0.5) * (inputs.strength?.[at] ?? 1) : p
}

function lossOf(inputs: Inputs, settings: Settings): number {
  const { beta, labelSmoothing: epsilon } = settings
  const gamma = settings.gammaRatio * beta
  const weights = inputs.policy_chosen_token_logps.map((_row, at) => inputs.weight?.[at] ?? 1)
  const losses = inputs.policy_chosen_token_logps.map((chosen, at) => {
    const lead = beta * meanOf(chosen) - beta * meanOf(inputs.policy_rejected_token_logps[at]!)
    const p = labelOf(inputs, at, settings)
    const win = (1 - epsilon) * minusLogSigmoid(lead - gamma) + epsilon * minusLogSigmoid(gamma - lead)
    const loss = (1 - epsilon) * minusLogSigmoid(-lead - gamma) + epsilon * minusLogSigmoid(gamma + lead)
    return weights[at]! * (p * win + (1 - p) * loss)
  })
  return sum(losses) / sum(weights)
}

/** By hand: d(−log σ(z))/dz = −σ(−z), and each of the |y| tokens moves its side's reward by β/|y|. */
function gradientsOf(
  inputs: Inputs,
  settings: Settings,
): { readonly chosen: number[][]; readonly rejected: number[][] } {
  const { beta, labelSmoothing: epsilon } = settings
  const gamma = settings.gammaRatio * beta
  const total = sum(inputs.policy_chosen_token_logps.map((_row, at) => inputs.weight?.[at] ?? 1))
  const byLead = inputs.policy_chosen_token_logps.map((chosen, at) => {
    const lead = beta * (meanOf(chosen) - meanOf(inputs.policy_rejected_token_logps[at]!))
    const p = labelOf(inputs, at, settings)
    const win = epsilon * sigmoid(lead - gamma) - (1 - epsilon) * sigmoid(gamma - lead)
    const loss = (1 - epsilon) * sigmoid(lead + gamma) - epsilon * sigmoid(-lead - gamma)
    return ((inputs.weight?.[at] ?? 1) * (p * win + (1 - p) * loss)) / total
  })
  const spread = (rows: readonly number[][], sign: number): number[][] =>
    rows.map((row, at) => row.map(() => (sign * beta * byLead[at]!) / row.length))
  return {
    chosen: spread(inputs.policy_chosen_token_logps, 1),
    rejected: spread(inputs.policy_rejected_token_logps, -1),
  }
}

/** @throws Error where the derivation by hand is wrong */
function holdAgainstDifferences(name: string, inputs: Inputs, settings: Settings): void {
  const gradients = gradientsOf(inputs, settings)
  for (const side of ['chosen', 'rejected'] as const) {
    const key = `policy_${side}_token_logps` as const
    inputs[key].forEach((row, at) =>
      row.forEach((value, token) => {
        const step = 1e-5 * Math.max(1, Math.abs(value))
        const moved = (by: number): number =>
          lossOf(
            {
              ...inputs,
              [key]: inputs[key].map((other, i) =>
                i === at ? other.map((one, j) => (j === token ? one + by : one)) : other,
              ),
            },
            settings,
          )
        const difference = (moved(step) - moved(-step)) / (2 * step)
        const byHand = gradients[side][at]![token]!
        if (Math.abs(difference - byHand) > 1e-8 + 1e-6 * Math.abs(byHand))
          throw new Error(`${name}: the gradient of ${key}[${at}][${token}] is ${byHand}, by differences ${difference}`)
      }),
    )
  }
}

function metricsOf(inputs: Inputs, { beta }: Settings): Record<string, number> {
  const weights = inputs.policy_chosen_token_logps.map((_row, at) => inputs.weight?.[at] ?? 1)
  const share = (values: readonly number[]): number =>
    sum(values.map((value, at) => value * weights[at]!)) / sum(weights)
  const rewards = (rows: readonly number[][]): number[] => rows.map((row) => beta * meanOf(row))
  const [chosen, rejected] = [rewards(inputs.policy_chosen_token_logps), rewards(inputs.policy_rejected_token_logps)]
  return {
    'rewards/chosen': share(chosen),
    'rewards/rejected': share(rejected),
    'rewards/margins': share(chosen.map((reward, at) => reward - rejected[at]!)),
    'rewards/accuracies': share(
      chosen.map(
        (reward, at) => (1 + Math.sign(reward - rejected[at]!) * Math.sign((inputs.preference?.[at] ?? 1) - 0.5)) / 2,
      ),
    ),
    'logps/chosen': share(inputs.policy_chosen_token_logps.map(sum)),
    'logps/rejected': share(inputs.policy_rejected_token_logps.map(sum)),
  }
}

/** Numbers from 0 to 1 that are the same on every machine. */
let state = 20_240_524
function uniform(): number {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
  return state / 2 ** 32
}

function completions(lengths: readonly number[], low = -6): number[][] {
  return lengths.map((length) => Array.from({ length }, () => Number((low * uniform()).toFixed(4))))
}

const DEFAULTS: Settings = { beta: 2, gammaRatio: 0.5, labelSmoothing: 0, useStrength: true }
const pairs = (low?: number): Inputs => ({
  policy_chosen_token_logps: completions([1, 3, 6, 12, 2], low),
  policy_rejected_token_logps: completions([4, 3, 1, 7, 17], low),
})

const CASES: readonly {
  readonly name: string
  readonly inputs: Inputs
  readonly settings: Partial<Settings>
  readonly tags: readonly string[]
}[] = [
  { name: 'defaults', inputs: pairs(), settings: {}, tags: ['random'] },
  { name: 'paper_instruct', inputs: pairs(), settings: { beta: 2.5, gammaRatio: 0.55 }, tags: ['random'] },
  { name: 'no_target', inputs: pairs(), settings: { gammaRatio: 0 }, tags: ['random'] },
  { name: 'large_beta', inputs: pairs(), settings: { beta: 10, gammaRatio: 1 }, tags: ['random'] },
  { name: 'label_smoothing', inputs: pairs(), settings: { labelSmoothing: 0.1 }, tags: ['random'] },
  {
    name: 'soft_labels_and_ties',
    inputs: { ...pairs(), preference: [1, 0.5, 0.75, 0.6, 0.5] },
    settings: {},
    tags: ['soft'],
  },
  {
    name: 'strength_and_weight',
    inputs: {
      ...pairs(),
      preference: [1, 1, 0.8, 0.5, 1],
      strength: [1, 0.3333, 0.5, 1, 0],
      weight: [1, 0.5, 2, 1, 0],
    },
    settings: { labelSmoothing: 0.2 },
    tags: ['soft'],
  },
  {
    name: 'strength_left_out',
    inputs: { ...pairs(), strength: [0.2, 0.3333, 0.5, 1, 0] },
    settings: { useStrength: false },
    tags: ['soft'],
  },
  // z is exactly 0, where the derivative of −log σ is −½ and that of |z| has none.
  {
    name: 'exactly_at_the_target',
    inputs: { policy_chosen_token_logps: [[-1, -2], [-0.25]], policy_rejected_token_logps: [[-2], [-0.5, -1, -0.75]] },
    settings: {},
    tags: ['zero'],
  },
  {
    name: 'equally_likely',
    inputs: { policy_chosen_token_logps: [[-1, -1, -1]], policy_rejected_token_logps: [[-1]] },
    settings: {},
    tags: ['zero'],
  },
  { name: 'far_apart', inputs: pairs(-120), settings: { beta: 10 }, tags: ['extreme'] },
  {
    name: 'long',
    inputs: { policy_chosen_token_logps: completions([400]), policy_rejected_token_logps: completions([150]) },
    settings: {},
    tags: ['long'],
  },
]

/** Twelve digits: more than single precision can miss, fewer than two machines' exponentials differ in. */
function rounded(value: unknown): unknown {
  if (typeof value === 'number') return Number(value.toPrecision(12))
  if (Array.isArray(value)) return value.map(rounded)
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, rounded(inner)]))
  return value
}

const cases = CASES.map(({ name, inputs, settings, tags }) => {
  const config = { ...DEFAULTS, ...settings }
  holdAgainstDifferences(name, inputs, config)
  const { chosen, rejected } = gradientsOf(inputs, config)
  const outputs = {
    loss: lossOf(inputs, config),
    metrics: metricsOf(inputs, config),
    grads: { policy_chosen_token_logps: chosen, policy_rejected_token_logps: rejected },
  }
  return { name, inputs, params: { config }, outputs: rounded(outputs), tags }
})
process.stdout.write(
  `${JSON.stringify({ format: 1, dtype: 'float64', spec: 'SimPO, Meng et al. 2024, Eq. 6; made by make-simpo.ts', cases })}\n`,
)
