// Makes unpaired.json: node test/golden/make-unpaired.ts > test/golden/unpaired.json. Losses of answers that stand alone, written out
// from the papers and held against central differences: KTO (arXiv 2402.01306, Eq. 8), BCO (arXiv 2404.04656, Eq. 12) and
// SFT on the good ones. p is the share of the labels that call an answer good.
import { minusLogSigmoid, ratiosOf, sigmoid, slope, sum } from './pair-losses.ts'

interface Inputs {
  readonly policy_answer_token_logps: number[][]
  readonly ref_answer_token_logps: number[][]
  readonly mismatched_policy_answer_token_logps: number[][]
  readonly mismatched_ref_answer_token_logps: number[][]
  readonly good: number[]
}

interface Method {
  readonly config: Readonly<Record<string, number | boolean>>
  /** Numbers of the batch through which no gradient flows. */
  readonly fixed: (inputs: Inputs) => number
  readonly loss: (inputs: Inputs, fixed: number) => number
  /** By the log-prob of any token of an answer. */
  readonly slopeOf: (inputs: Inputs, at: number, fixed: number) => number
  readonly metrics: (inputs: Inputs, fixed: number) => Readonly<Record<string, number>>
}

const ratios = (inputs: Inputs): number[] => ratiosOf(inputs.policy_answer_token_logps, inputs.ref_answer_token_logps)
const mean = (values: readonly number[]): number => sum(values) / values.length

/** Mean rewards of good and of bad answers, and how many lie on the right side of the line. */
function judged(rewards: readonly number[], good: readonly number[], line: number): Record<string, number> {
  const bad = good.map((p) => 1 - p)
  const weighted = (values: readonly number[], by: readonly number[]): number =>
    sum(values.map((value, at) => value * by[at]!)) / sum(by)
  const above = rewards.map((reward) => (1 + Math.sign(reward - line)) / 2)
  return {
    ...(sum(good) > 0 ? { 'rewards/good': weighted(rewards, good) } : {}),
    ...(sum(bad) > 0 ? { 'rewards/bad': weighted(rewards, bad) } : {}),
    'judged/accuracies': mean(above.map((one, at) => good[at]! * one + bad[at]! * (1 - one))),
  }
}

function kto(beta: number, desirable: number, undesirable: number): Method {
  const parts = (ratio: number, p: number, z0: number): readonly [number, number] => {
    const z = beta * (ratio - z0)
    return [
      p * desirable * sigmoid(-z) + (1 - p) * undesirable * sigmoid(z),
      beta * slope(z) * ((1 - p) * undesirable - p * desirable),
    ]
  }
  return {
    config: { beta, desirable, undesirable, useStrength: true },
    fixed: (inputs) =>
      Math.max(
        0,
        mean(ratiosOf(inputs.mismatched_policy_answer_token_logps, inputs.mismatched_ref_answer_token_logps)),
      ),
    loss: (inputs, z0) => mean(ratios(inputs).map((ratio, at) => parts(ratio, inputs.good[at]!, z0)[0])),
    slopeOf: (inputs, at, z0) => parts(ratios(inputs)[at]!, inputs.good[at]!, z0)[1] / inputs.good.length,
    metrics: (inputs, z0) => ({
      'kto/z0': z0,
      ...judged(
        ratios(inputs).map((ratio) => beta * ratio),
        inputs.good,
        beta * z0,
      ),
    }),
  }
}

function bco(beta: number): Method {
  return {
    config: { beta, useStrength: true },
    fixed: (inputs) => mean(ratios(inputs).map((ratio) => beta * ratio)),
    loss: (inputs, delta) =>
      mean(
        ratios(inputs).map((ratio, at) => {
          const [p, z] = [inputs.good[at]!, beta * ratio - delta]
          return p * minusLogSigmoid(z) + (1 - p) * minusLogSigmoid(-z)
        }),
      ),
    slopeOf(inputs, at, delta) {
      const [p, z] = [inputs.good[at]!, beta * ratios(inputs)[at]! - delta]
      return (beta * ((1 - p) * sigmoid(z) - p * sigmoid(-z))) / inputs.good.length
    },
    metrics: (inputs, delta) => ({
      'bco/delta': delta,
      ...judged(
        ratios(inputs).map((ratio) => beta * ratio),
        inputs.good,
        delta,
      ),
    }),
  }
}

function sft(): Method {
  const tokens = (inputs: Inputs): number =>
    sum(inputs.policy_answer_token_logps.map((row, at) => inputs.good[at]! * row.length))
  return {
    config: { useStrength: true },
    fixed: () => 0,
    loss: (inputs) =>
      -sum(inputs.policy_answer_token_logps.map((row, at) => inputs.good[at]! * sum(row))) / tokens(inputs),
    slopeOf: (inputs, at) => -inputs.good[at]! / tokens(inputs),
    metrics: () => ({}),
  }
}

let state = 20_261_129
function uniform(): number {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
  return state / 2 ** 32
}

function inputsOf(lengths: readonly number[], good: readonly number[], low: number, apart: number): Inputs {
  const rows = (): number[][] =>
    lengths.map((length) => Array.from({ length }, () => Number((low * (0.01 + 0.99 * uniform())).toFixed(4))))
  const beside = (all: number[][]): number[][] =>
    all.map((row) => row.map((value) => Number((value + apart * (uniform() - 0.5)).toFixed(4))))
  const [own, others] = [rows(), rows()]
  return {
    policy_answer_token_logps: own,
    ref_answer_token_logps: beside(own),
    mismatched_policy_answer_token_logps: others,
    mismatched_ref_answer_token_logps: beside(others),
    good: [...good],
  }
}

/** @throws Error where a derivation by hand is wrong */
function holdAgainstDifferences(name: string, { loss, slopeOf }: Method, inputs: Inputs, fixed: number): void {
  inputs.policy_answer_token_logps.forEach((row, at) => {
    const step = 1e-5 * Math.max(1, Math.abs(row[0]!))
    const moved = (by: number): number =>
      loss(
        {
          ...inputs,
          policy_answer_token_logps: inputs.policy_answer_token_logps.map((other, i) =>
            i === at ? [other[0]! + by, ...other.slice(1)] : other,
          ),
        },
        fixed,
      )
    const difference = (moved(step) - moved(-step)) / (2 * step)
    const byHand = slopeOf(inputs, at, fixed)
    if (Math.abs(difference - byHand) > 1e-8 + 1e-6 * Math.abs(byHand))
      throw new Error(`${name}: the gradient of answer ${at} is ${byHand}, by differences ${difference}`)
  })
}

const CASES = [
  { name: 'mixed', inputs: inputsOf([1, 4, 7, 12, 3], [1, 0, 1, 0, 0], -6, 1), tags: ['random'] },
  { name: 'people_differ', inputs: inputsOf([5, 2, 9], [0.75, 0.5, 1 / 3], -6, 1), tags: ['soft'] },
  { name: 'only_good', inputs: inputsOf([3, 6], [1, 1], -6, 1), tags: ['random'] },
  { name: 'only_one_good', inputs: inputsOf([3, 6, 1, 2], [0, 0, 1, 0], -6, 1), tags: ['random'] },
  { name: 'far_apart', inputs: inputsOf([4, 8, 2], [1, 0, 1], -60, 60), tags: ['extreme'] },
  { name: 'long', inputs: inputsOf([300, 180], [1, 0], -6, 1), tags: ['long'] },
] as const

const METHODS: readonly (readonly [string, string, Method])[] = [
  ['kto', 'usual', kto(0.1, 1, 1)],
  ['kto', 'weighted', kto(0.5, 1.33, 0.7)],
  ['bco', 'usual', bco(0.1)],
  ['bco', 'larger_beta', bco(0.5)],
  ['sft', 'usual', sft()],
]

/** Twelve digits: more than single precision can miss, fewer than two machines' exponentials differ in. */
const rounded = (value: number): number => Number(value.toPrecision(12))

const cases = METHODS.flatMap(([id, setting, method]) =>
  CASES.map(({ name, inputs, tags }) => {
    const fixed = method.fixed(inputs)
    holdAgainstDifferences(`${id} ${setting} ${name}`, method, inputs, fixed)
    return {
      name: `${id}_${setting}_${name}`,
      inputs,
      params: { method: id, config: method.config },
      outputs: {
        loss: rounded(method.loss(inputs, fixed)),
        metrics: Object.fromEntries(
          Object.entries(method.metrics(inputs, fixed)).map(([metric, value]) => [metric, rounded(value)]),
        ),
        grads: {
          policy_answer_token_logps: inputs.policy_answer_token_logps.map((row, at) =>
            row.map(() => rounded(method.slopeOf(inputs, at, fixed))),
          ),
        },
      },
      tags,
    }
  }),
)
process.stdout.write(
  `${JSON.stringify({ format: 1, dtype: 'float64', spec: 'KTO, BCO and SFT on answers that stand alone; made by make-unpaired.ts', cases })}\n`,
)
