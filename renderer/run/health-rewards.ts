import {
  EARLY_SHARE,
  endsOf,
  KL_WATCH_NATS,
  show,
  type Ends,
  type HealthInput,
  type HealthNote,
} from './health-input.ts'
import { describeMetric } from '../../shared/metric-names.ts'
import { lastValue } from './run-charts.ts'
import type { Curve } from './run-series.ts'

// Rules for runs in which something scores what the policy does: generated text, or an episode.

/** What counts as the policy's own success, the surest first. */
const OUTCOMES = [
  'eval/return',
  'eval/success',
  'eval/rollout/reward',
  'eval/samples/reward',
  'rollout/reward',
] as const
/** Of training pairs, by the policy: of completions, and of segments. */
const ACCURACIES = ['rewards/accuracies', 'preferences/accuracy'] as const
const DISTANCES = ['eval/rollout/kl', 'eval/samples/kl', 'eval/kl/k3', 'kl/k3'] as const
const LENGTHS = ['rollout/tokens', 'eval/samples/tokens'] as const
const ENTROPY = 'rollout/entropy'
const SILENT = 'rollout/equal-rewards'
const ADVANTAGES = 'advantages/size'
/** Everything that the rules read. A rule whose curve nobody draws would never speak. */
export const WATCHED_CURVES: readonly string[] = [
  ...OUTCOMES,
  ...ACCURACIES,
  ...DISTANCES,
  ...LENGTHS,
  ENTROPY,
  SILENT,
  ADVANTAGES,
]
/** An accuracy this high has nothing left to learn from. */
const SOLVED = 0.995
/** A fall counts when it is at least this share of the distance between best and worst. */
const NOTABLE_FALL = 0.25
const ENTROPY_FLOOR_NATS = 0.1
const ENTROPY_LEFT = 0.2
const LENGTH_GROWTH = 1.5
const SILENT_SHARE = 0.9
const MILDER_CONTROL =
  'Stop at that step, make the objective more conservative (a smaller λ weighs the losing segment less), or keep the cloned start longer (a larger share or weight of behavior cloning).'

export function judgeRewards(input: HealthInput): HealthNote[] {
  const rules = [solvedWhileOutcomeFalls, rewardByDistance, entropyCollapses, lengthGrows, noAdvantage]
  return rules.flatMap((rule) => rule(input) ?? [])
}

interface Found {
  readonly name: string
  readonly curve: Curve
  readonly values: readonly number[]
}

/** The first of the curves that has two values or more. */
function firstOf({ curves }: HealthInput, names: readonly string[]): Found | null {
  for (const name of names) {
    const curve = curves.get(name)
    if (curve === undefined) continue
    const values = curve.value.filter((value): value is number => value !== null)
    if (values.length >= 2) return { name, curve, values }
  }
  return null
}

/** Means over tenths where there are enough points, else the first and the last point. */
function endsOrPoints({ curve, values }: Found): Ends {
  return endsOf(curve) ?? { first: values[0] ?? 0, last: values.at(-1) ?? 0, lastStep: curve.step.at(-1) ?? 0 }
}

function solvedWhileOutcomeFalls(input: HealthInput): HealthNote | null {
  const found = ACCURACIES.find((name) => endsOf(input.curves.get(name)) !== null)
  const accuracy = found === undefined ? null : endsOf(input.curves.get(found))
  const outcome = firstOf(input, OUTCOMES)
  if (accuracy === null || outcome === null || accuracy.last < SOLVED) return null
  const { values, curve } = outcome
  const best = Math.max(...values)
  const last = values.at(-1) ?? best
  if (best - last <= NOTABLE_FALL * (best - Math.min(...values)) || best === last) return null
  const bestStep = curve.step[curve.value.indexOf(best)] ?? 0
  return {
    id: 'solved-and-falling',
    tone: 'bad',
    text: `Every training preference is met (accuracy ${show(accuracy.last)}), and yet ${lowered(describeMetric(outcome.name, input.infos).label)} has fallen from ${show(best)} at step ${bestStep} to ${show(last)}: over-optimization. ${found === 'preferences/accuracy' ? MILDER_CONTROL : 'Stop at that step, or make the objective more conservative (a larger β).'}`,
  }
}

function rewardByDistance(input: HealthInput): HealthNote | null {
  const outcome = firstOf(
    input,
    OUTCOMES.filter((name) => name.includes('reward')),
  )
  const distance = firstOf(input, DISTANCES)
  if (outcome === null || distance === null) return null
  const reward = endsOrPoints(outcome)
  const kl = endsOrPoints(distance).last
  if (reward.last <= reward.first || kl <= KL_WATCH_NATS) return null
  return {
    id: 'reward-by-distance',
    tone: 'warn',
    text: `The reward has risen from ${show(reward.first)} to ${show(reward.last)}, but at ${show(kl)} nats from the reference, past ${KL_WATCH_NATS}: the policy may satisfy the reward and nobody else. Read the samples; a larger β costs reward and buys closeness.`,
  }
}

function entropyCollapses({ curves, totalSteps }: HealthInput): HealthNote | null {
  const entropy = endsOf(curves.get(ENTROPY))
  if (entropy === null || entropy.lastStep < totalSteps * EARLY_SHARE) return null
  if (entropy.last >= ENTROPY_FLOOR_NATS && entropy.last >= ENTROPY_LEFT * entropy.first) return null
  return {
    id: 'entropy-collapses',
    tone: 'warn',
    text: `The entropy of what the policy writes has gone from ${show(entropy.first)} to ${show(entropy.last)} nats a token: it nearly always writes the same, so there is little left to compare. Lower the learning rate, or raise the weight of the KL.`,
  }
}

function lengthGrows(input: HealthInput): HealthNote | null {
  const found = firstOf(input, LENGTHS)
  if (found === null) return null
  const ends = endsOrPoints(found)
  if (
    ends.lastStep < input.totalSteps * EARLY_SHARE ||
    ends.last < LENGTH_GROWTH * ends.first ||
    ends.last - ends.first < 2
  )
    return null
  return {
    id: 'length-grows',
    tone: 'warn',
    text: `Responses have grown from ${show(ends.first)} to ${show(ends.last)} tokens. If the reward does not ask for length, the objective does: sums over tokens, or a reward that likes long text.`,
  }
}

function noAdvantage({ curves }: HealthInput): HealthNote | null {
  const silent = endsOf(curves.get(SILENT))?.last ?? null
  const size = endsOf(curves.get(ADVANTAGES))?.last ?? lastValue(curves.get(ADVANTAGES))
  if ((silent === null || silent < SILENT_SHARE) && size !== 0) return null
  const share = silent === null ? 'all' : `${Math.round(100 * silent)} %`
  return {
    id: 'no-advantage',
    tone: 'bad',
    text: `The completions of ${share} of the prompts have the same reward, so their advantages are 0 and nothing is learned. Take more completions for each prompt, harder or easier prompts, or a reward with finer steps.`,
  }
}

function lowered(text: string): string {
  return /^[A-Z][a-z]/.test(text) ? text.charAt(0).toLowerCase() + text.slice(1) : text
}
