// What the scripts share that make vectors of losses on pairs, in double precision and with none of Pairlab's own code.
// A script writes its losses out from the paper and derives their gradients by hand; here they are held against central
// differences before anything is printed.

import { casesOf, type CasesWanted, type Inputs, type Settings } from './pair-cases.ts'

/** What a loss sees of a completion: its mean log-prob of a token, and its log-ratio to the reference, in sum. */
export interface Side {
  readonly mean: number
  readonly ratio: number
  readonly length: number
}

/** A loss of one pair in which the first side is preferred, with its derivatives by what it sees of both. */
export interface OneWay {
  readonly value: number
  readonly winner: { readonly mean?: number; readonly ratio?: number }
  readonly loser: { readonly mean?: number; readonly ratio?: number }
}

/** A loss of one bad answer that is not compared, with its derivative by the log-ratio. */
export interface Alone {
  readonly value: number
  readonly ratio: number
}

export interface Family extends CasesWanted {
  readonly spec: string
  /** Method → its loss and reward. */
  readonly methods: Readonly<
    Record<
      string,
      {
        readonly oneWay: (winner: Side, loser: Side, settings: Settings) => OneWay
        readonly reward: (side: Side, settings: Settings) => number
        /** Metrics beside the rewards, of each pair. */
        readonly more?: Readonly<Record<string, (chosen: Side, rejected: Side, settings: Settings) => number>>
        /** Numbers of the whole batch through which no gradient flows, put beside the settings. */
        readonly fixed?: (
          pairs: readonly Pair[],
          settings: Settings,
          inputs: Inputs,
        ) => Readonly<Record<string, number>>
        /** For a method that judges each answer by itself: a bad one, and the reward that a good one should be above. */
        readonly bad?: (side: Side, settings: Settings) => Alone
        readonly line?: (settings: Settings) => number
      }
    >
  >
  readonly defaults: Settings
}

/** −log σ(z) */
export function minusLogSigmoid(z: number): number {
  return z > 0 ? Math.log1p(Math.exp(-z)) : Math.log1p(Math.exp(z)) - z
}

export function sigmoid(z: number): number {
  return z > 0 ? 1 / (1 + Math.exp(-z)) : Math.exp(z) / (1 + Math.exp(z))
}

/** dσ/dz */
export function slope(z: number): number {
  return sigmoid(z) * sigmoid(-z)
}

export function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}

export const number = (settings: Settings, name: string): number => Number(settings[name])

type Method = Family['methods'][string]

export interface Pair {
  readonly chosen: Side
  readonly rejected: Side
  readonly p: number
  readonly share: number
  readonly bothBad: boolean
}

/** log π − log π_ref of completions, in sum over each. */
export function ratiosOf(policy: readonly number[][], reference: readonly number[][]): number[] {
  return policy.map((row, at) => sideOf(row, reference[at]).ratio)
}

function sideOf(policy: readonly number[], reference: readonly number[] | undefined): Side {
  const ratio = sum(policy.map((value, at) => value - (reference?.[at] ?? 0)))
  return { mean: sum(policy) / policy.length, ratio, length: policy.length }
}

function pairsOf(inputs: Inputs, settings: Settings): Pair[] {
  const weights = inputs.policy_chosen_token_logps.map((_row, at) => inputs.weight?.[at] ?? 1)
  return inputs.policy_chosen_token_logps.map((chosen, at) => {
    const label = inputs.preference?.[at] ?? 1
    const strength = settings['useStrength'] === true ? (inputs.strength?.[at] ?? 1) : 1
    return {
      chosen: sideOf(chosen, inputs.ref_chosen_token_logps?.[at]),
      rejected: sideOf(inputs.policy_rejected_token_logps[at]!, inputs.ref_rejected_token_logps?.[at]),
      p: 0.5 + (label - 0.5) * strength,
      share: weights[at]! / sum(weights),
      bothBad: inputs.both_bad?.[at] === 1,
    }
  })
}

function lossOf({ oneWay, bad }: Method, inputs: Inputs, settings: Settings): number {
  return sum(
    pairsOf(inputs, settings).map(({ chosen, rejected, p, share, bothBad }) =>
      bothBad
        ? share * (bad!(chosen, settings).value + bad!(rejected, settings).value)
        : share * (p * oneWay(chosen, rejected, settings).value + (1 - p) * oneWay(rejected, chosen, settings).value),
    ),
  )
}

/** Each of the |y| tokens moves its side's ratio by 1 and its mean by 1/|y|. */
function gradientsOf(
  { oneWay, bad }: Method,
  inputs: Inputs,
  settings: Settings,
): { readonly chosen: number[][]; readonly rejected: number[][] } {
  const rows = pairsOf(inputs, settings).map(({ chosen, rejected, p, share, bothBad }) => {
    if (bothBad) {
      const alone = (side: Side): number[] =>
        Array.from({ length: side.length }, () => share * bad!(side, settings).ratio)
      return { chosen: alone(chosen), rejected: alone(rejected) }
    }
    const [win, lose] = [oneWay(chosen, rejected, settings), oneWay(rejected, chosen, settings)]
    const token = ({ length }: Side, first: OneWay['winner'], second: OneWay['loser']): number[] => {
      const ratio = p * (first.ratio ?? 0) + (1 - p) * (second.ratio ?? 0)
      const mean = p * (first.mean ?? 0) + (1 - p) * (second.mean ?? 0)
      return Array.from({ length }, () => share * (ratio + mean / length))
    }
    return { chosen: token(chosen, win.winner, lose.loser), rejected: token(rejected, win.loser, lose.winner) }
  })
  return { chosen: rows.map((row) => row.chosen), rejected: rows.map((row) => row.rejected) }
}

/** @throws Error where the derivation by hand is wrong */
function holdAgainstDifferences(name: string, method: Method, inputs: Inputs, settings: Settings): void {
  const gradients = gradientsOf(method, inputs, settings)
  for (const side of ['chosen', 'rejected'] as const) {
    const key = `policy_${side}_token_logps` as const
    inputs[key].forEach((row, at) =>
      row.forEach((value, token) => {
        // Odds near certainty bend within the log-prob itself.
        const step = Math.min(1e-5 * Math.max(1, Math.abs(value)), Math.abs(value) / 1000)
        const moved = (by: number): number => {
          const rows = inputs[key].map((other, i) =>
            i === at ? other.map((one, j) => (j === token ? one + by : one)) : other,
          )
          return lossOf(method, { ...inputs, [key]: rows }, settings)
        }
        const difference = (moved(step) - moved(-step)) / (2 * step)
        const byHand = gradients[side][at]![token]!
        if (Math.abs(difference - byHand) > 1e-8 + 1e-6 * Math.abs(byHand))
          throw new Error(`${name}: the gradient of ${key}[${at}][${token}] is ${byHand}, by differences ${difference}`)
      }),
    )
  }
}

/** What compares the sides of a pair is a mean over the pairs that are comparisons; what judges answers, over the others. */
function metricsOf({ reward, more = {}, line }: Method, inputs: Inputs, settings: Settings): Record<string, number> {
  const pairs = pairsOf(inputs, settings)
  const mean = (over: (pair: Pair) => boolean, of: (pair: Pair, at: number) => number): number =>
    sum(pairs.map((pair, at) => (over(pair) ? pair.share * of(pair, at) : 0))) /
    sum(pairs.map((pair) => (over(pair) ? pair.share : 0)))
  const share = (of: (pair: Pair, at: number) => number): number => mean(({ bothBad }) => !bothBad, of)
  const lead = ({ chosen, rejected }: Pair): number => reward(chosen, settings) - reward(rejected, settings)
  const ofBad = (of: (reward: number) => number): number =>
    mean(
      ({ bothBad }) => bothBad,
      ({ chosen, rejected }) => (of(reward(chosen, settings)) + of(reward(rejected, settings))) / 2,
    )
  const compared = {
    'rewards/chosen': share(({ chosen }) => reward(chosen, settings)),
    'rewards/rejected': share(({ rejected }) => reward(rejected, settings)),
    'rewards/margins': share(lead),
    'rewards/accuracies': share(
      (pair, at) => (1 + Math.sign(lead(pair)) * Math.sign((inputs.preference?.[at] ?? 1) - 0.5)) / 2,
    ),
    'logps/chosen': share(({ chosen }) => chosen.mean * chosen.length),
    'logps/rejected': share(({ rejected }) => rejected.mean * rejected.length),
  }
  const judged = {
    'rewards/bad': ofBad((one) => one),
    'judged/accuracies': ofBad((one) => (1 - Math.sign(one - (line?.(settings) ?? 0))) / 2),
  }
  return {
    ...(pairs.every(({ bothBad }) => bothBad) ? {} : compared),
    ...(pairs.some(({ bothBad }) => bothBad) ? judged : {}),
    ...Object.fromEntries(
      Object.entries(more).map(([name, of]) => [
        name,
        mean(
          () => true,
          ({ chosen, rejected }) => of(chosen, rejected, settings),
        ),
      ]),
    ),
  }
}

/** Twelve digits: more than single precision can miss, fewer than two machines' exponentials differ in. */
export function rounded(value: unknown): unknown {
  if (typeof value === 'number') return Number(value.toPrecision(12))
  if (Array.isArray(value)) return value.map(rounded)
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, rounded(inner)]))
  return value
}

/** Prints the file. @throws Error where a derivation by hand is wrong */
export function printVectors(script: string, family: Family): void {
  const several = Object.keys(family.methods).length > 1
  const cases = casesOf(family)
  const made = Object.entries(family.methods).flatMap(([id, method]) =>
    cases.map(({ name, inputs, settings, tags, kinked }) => {
      const config = { ...family.defaults, ...settings }
      const known = { ...config, ...method.fixed?.(pairsOf(inputs, config), config, inputs) }
      if (kinked !== true) holdAgainstDifferences(`${id}/${name}`, method, inputs, known)
      const { chosen, rejected } = gradientsOf(method, inputs, known)
      const outputs = {
        loss: lossOf(method, inputs, known),
        metrics: metricsOf(method, inputs, known),
        grads: { policy_chosen_token_logps: chosen, policy_rejected_token_logps: rejected },
      }
      return {
        name: several ? `${id}_${name}` : name,
        inputs,
        params: several ? { method: id, config } : { config },
        outputs: rounded(outputs),
        tags,
      }
    }),
  )
  process.stdout.write(
    `${JSON.stringify({ format: 1, dtype: 'float64', spec: `${family.spec}; made by ${script}`, cases: made })}\n`,
  )
}
