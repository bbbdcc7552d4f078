import { EARLY_SHARE, endsOf, show, type HealthInput, type HealthNote } from './health-input.ts'
import { lastValue } from './run-charts.ts'

/** Nats a place: below this the policy nearly always gives the same order. */
const SETTLED_NATS = 0.05
/** Share of queries without a signal from which most of an update is wasted. */
const MANY_SILENT = 0.5

/** What a practiced eye would say about a ranker's curves. */
export function judgeRanking(input: HealthInput): HealthNote[] {
  return [utilityMoves, belowFirstStage, settledEarly, fewSignals].flatMap((rule) => rule(input) ?? [])
}

/** True where the loss says nothing, because samples are compared with each other. */
export function isUtilityTrained({ curves }: HealthInput): boolean {
  return curves.has('utility')
}

function utilityMoves({ curves, totalSteps }: HealthInput): HealthNote | null {
  const ends = endsOf(curves.get('utility'))
  if (ends === null || ends.lastStep < totalSteps * EARLY_SHARE) return null
  if (ends.last > ends.first)
    return {
      id: 'utility-rises',
      tone: 'good',
      text: `Sampled rankings are worth ${show(ends.last)} now, ${show(ends.first)} at the start.`,
    }
  return {
    id: 'utility-stands',
    tone: 'warn',
    text: `Sampled rankings are worth no more than at the start (${show(ends.first)}, now ${show(ends.last)}). Start from a contrastively trained run, sample more rankings, or raise the learning rate.`,
  }
}

function belowFirstStage({ curves, totalSteps }: HealthInput): HealthNote | null {
  const own = lastValue(curves.get('eval/ndcg'))
  const first = lastValue(curves.get('eval/first_stage_ndcg'))
  const step = curves.get('eval/ndcg')?.step.at(-1) ?? 0
  if (own === null || first === null || step < totalSteps * EARLY_SHARE || own >= first) return null
  return {
    id: 'below-first-stage',
    tone: 'warn',
    text: `Held-out nDCG is ${show(own)}, below the ${show(first)} of the order the documents came in: the reranker makes it worse.`,
  }
}

function settledEarly({ curves, totalSteps }: HealthInput): HealthNote | null {
  const entropy = endsOf(curves.get('entropy'))
  const utility = endsOf(curves.get('utility'))
  if (
    entropy === null ||
    utility === null ||
    entropy.lastStep < totalSteps * EARLY_SHARE ||
    entropy.last > SETTLED_NATS ||
    entropy.first <= SETTLED_NATS
  )
    return null
  return {
    id: 'settled',
    tone: 'warn',
    text: `The entropy of the rankings has fallen to ${show(entropy.last)} nats a place: hardly any other order is tried. A higher temperature or an entropy bonus keeps it looking.`,
  }
}

function fewSignals({ curves, totalSteps }: HealthInput): HealthNote | null {
  const silent = endsOf(curves.get('no_signal'))
  if (silent === null || silent.lastStep < totalSteps * EARLY_SHARE || silent.last < MANY_SILENT) return null
  return {
    id: 'few-signals',
    tone: 'warn',
    text: `For ${Math.round(100 * silent.last)} % of the queries all sampled rankings are worth the same, so that nothing is learned from them. More rankings, a higher temperature or longer lists help.`,
  }
}
