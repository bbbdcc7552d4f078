import {
  EARLY_SHARE,
  endsOf,
  KL_WATCH_NATS,
  show,
  type Ends,
  type HealthInput,
  type HealthNote,
} from './health-input.ts'
import { isUtilityTrained, judgeRanking } from './health-ranking.ts'
import { judgeRewards } from './health-rewards.ts'
import { describeMetric, intervalEnds } from '../../shared/metric-names.ts'
import { lastValue } from './run-charts.ts'
import type { Curve, Curves } from './run-series.ts'

export type { HealthInput, HealthNote } from './health-input.ts'

/** An accuracy this near to ½ counts as guessing where no interval is known. */
const CHANCE_MARGIN = 0.03
const OVERFIT_GAP = 0.2

/** What a practiced eye would say about the curves. Empty when there is nothing to say yet. */
export function judgeHealth(input: HealthInput): HealthNote[] {
  const rules = [
    lossIsFinite,
    mainMetricMoves,
    lossFalls,
    accuracyAtChance,
    bothLogProbsFall,
    farFromReference,
    overFits,
  ]
  return [...rules.flatMap((rule) => rule(input) ?? []), ...judgeRewards(input), ...judgeRanking(input)]
}

function lossIsFinite({ curves }: HealthInput): HealthNote | null {
  const loss = curves.get('loss')
  if (loss === undefined) return null
  const at = loss.value.indexOf(null)
  if (at < 0) return null
  return {
    id: 'loss-not-finite',
    tone: 'bad',
    text: `The loss was not finite at step ${loss.step[at] ?? 0}. Lower the learning rate, or turn gradient clipping on.`,
  }
}

function lossFalls(input: HealthInput): HealthNote | null {
  const { curves, totalSteps, infos, referenceMoves = false } = input
  // A policy gradient's loss is a surrogate: only its gradient means something.
  if (referenceMoves || isUtilityTrained(input) || describeMetric('loss', infos).goal === 'none') return null
  const ends = endsOf(sinceItMeansThis(curves.get('loss'), curves))
  if (ends === null || ends.lastStep < totalSteps * EARLY_SHARE) return null
  if (ends.last < ends.first)
    return {
      id: 'loss-falls',
      tone: 'good',
      text: `The training loss has fallen from ${show(ends.first)} to ${show(ends.last)}.`,
    }
  return {
    id: 'loss-stands',
    tone: 'warn',
    text: `The training loss has not fallen: ${show(ends.first)} at the start, ${show(ends.last)} now. The learning rate may be too low or too high.`,
  }
}

/** CPL's loss is that of cloning at first: only what came after can be compared with what is now. */
function sinceItMeansThis(loss: Curve | undefined, curves: Curves): Curve | undefined {
  const [begins] = curves.get('cpl/score')?.step ?? []
  if (loss === undefined || begins === undefined) return loss
  const from = loss.step.findIndex((step) => step >= begins)
  return from <= 0
    ? loss
    : { step: loss.step.slice(from), wallMs: loss.wallMs.slice(from), value: loss.value.slice(from) }
}

function mainMetricMoves({ curves, mainMetric, infos, live, referenceMoves = false }: HealthInput): HealthNote | null {
  if (mainMetric === null || (referenceMoves && mainMetric.startsWith('eval/rewards/'))) return null
  const curve = curves.get(mainMetric)
  const info = describeMetric(mainMetric, infos)
  if (curve === undefined || info.goal === 'none') return null
  const known = curve.step.filter((_, at) => curve.value[at] !== null)
  const values = curve.value.filter((value): value is number => value !== null)
  const [first, last] = [values[0], values.at(-1)]
  if (first === undefined || last === undefined || values.length < 2) return null
  const sign = info.goal === 'max' ? 1 : -1
  const best = values.reduce((found, value, at) => (sign * value > sign * (values[found] ?? 0) ? at : found), 0)
  const bestStep = known[best] ?? 0
  const lastStep = known.at(-1) ?? 0
  if (best === values.length - 1) {
    const verb = live ? `is still ${sign > 0 ? 'rising' : 'falling'}` : 'ended at its best'
    return {
      id: 'main-improves',
      tone: 'good',
      text: `${info.label} ${verb}: ${show(last)} at step ${lastStep}, from ${show(first)} at the start.`,
    }
  }
  if (values.length - 1 - best < 3) return null
  return {
    id: 'main-past-best',
    tone: 'warn',
    text: `${info.label} has not improved since step ${bestStep} (${show(values[best] ?? 0)}; now ${show(last)}). The best checkpoint is kept.`,
  }
}

function accuracyAtChance({ curves, infos, totalSteps, referenceMoves = false }: HealthInput): HealthNote | null {
  if (referenceMoves) return null
  const name = 'eval/rewards/accuracies'
  const curve = curves.get(name)
  const value = lastValue(curve)
  const step = curve?.step.at(-1) ?? 0
  if (value === null || step < totalSteps * EARLY_SHARE) return null
  const ends = intervalEnds(name, new Set(curves.keys()))
  const low = ends === null ? value - CHANCE_MARGIN : lastValue(curves.get(ends.low))
  const high = ends === null ? value + CHANCE_MARGIN : lastValue(curves.get(ends.high))
  if (low === null || high === null || low > 0.5 || high < 0.5) return null
  const range = ends === null ? '' : ` [${show(low)}, ${show(high)}]`
  return {
    id: 'at-chance',
    tone: 'warn',
    text: `${describeMetric(name, infos).label} is ${show(value)}${range}: it cannot be told from guessing.`,
  }
}

function bothLogProbsFall({ curves, totalSteps }: HealthInput): HealthNote | null {
  const chosen = endsOf(curves.get('logps/chosen'))
  const rejected = endsOf(curves.get('logps/rejected'))
  const margin = endsOf(curves.get('rewards/margins'))
  if (chosen === null || rejected === null || margin === null || chosen.lastStep < totalSteps * EARLY_SHARE) return null
  const falls = (ends: Ends): boolean => ends.first - ends.last > Math.max(1, Math.abs(ends.first) * 0.02)
  if (margin.last <= margin.first || !falls(chosen) || !falls(rejected)) return null
  return {
    id: 'both-fall',
    tone: 'warn',
    text: `The margin grows while both log-probs fall (preferred ${show(chosen.last - chosen.first)}, other ${show(rejected.last - rejected.first)} nats): the policy leaves the data on both sides. A larger β or fewer steps holds it.`,
  }
}

function farFromReference({ curves }: HealthInput): HealthNote | null {
  for (const name of ['eval/samples/kl', 'samples/kl', 'eval/kl/k3', 'kl/k3', 'eval/kl/k1', 'kl/k1']) {
    const curve = curves.get(name)
    if (curve === undefined) continue
    const ends = endsOf(curve)
    const value = ends?.last ?? lastValue(curve)
    if (value === null) continue
    if (Math.abs(value) <= KL_WATCH_NATS) return null
    return {
      id: 'kl-far',
      tone: 'warn',
      text: `KL to the reference has passed ${KL_WATCH_NATS} nats: ${show(value)}. If held-out numbers turn down while it grows, stop here.`,
    }
  }
  return null
}

function overFits({ curves, totalSteps }: HealthInput): HealthNote | null {
  const name = 'rewards/accuracies'
  const training = endsOf(curves.get(name))
  const held = lastValue(curves.get(`eval/${name}`))
  if (
    training === null ||
    held === null ||
    training.lastStep < totalSteps * EARLY_SHARE ||
    training.last - held < OVERFIT_GAP
  )
    return null
  return {
    id: 'over-fits',
    tone: 'warn',
    text: `Training accuracy is ${show(training.last)}, held-out ${show(held)}: the policy learns the training pairs by heart. More data or fewer steps helps.`,
  }
}
