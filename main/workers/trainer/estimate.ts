import type { RunSpec } from '../../../shared/run-spec.ts'
import { movesReference } from '../../core/learn/define.ts'
import type { RankingAlgorithm } from '../../core/learn/ranking/ranking.ts'
import { findAlgorithm, isRankingAlgorithm } from '../../core/learn/registry.ts'
import { rankingLoad } from '../../core/learn/training-load.ts'
import type { Course } from './course.ts'
import { openCourse } from './courses.ts'
import type { RunContext } from './run-context.ts'

const WARM_UP_STEPS = 1
const MOST_STEPS = 8
/** Past it no more updates are measured than one. */
const LONGEST_MS = 15_000
/** Parts of an update that a dry run goes through: what later parts take, these take. */
const MOST_PARTS = 3
/** Texts in a ranker's update of a dry run, two lists at least: a few pieces, as a run has them. */
const RANKED_TEXTS = 34
/** Held-out items that a dry run looks at. */
const GLANCE = 8

/**
 * A run's specification for its dry run: a batch of a few parts, and a glance at the held-out side, so that it ends soon
 * with a real model. Each part is as long as in the run, and so takes the same memory.
 */
export function drySpec(spec: RunSpec): RunSpec {
  const { training } = spec
  const { batchSize, microBatchSize, evalPairs } = training
  const onTexts = spec.model.kind !== 'networks'
  const algorithm = findAlgorithm(spec.method)
  const { data } = algorithm
  const parts = Math.ceil(batchSize / microBatchSize)
  const items =
    isRankingAlgorithm(algorithm) && onTexts
      ? Math.min(batchSize, Math.max(2, Math.ceil(RANKED_TEXTS / textsOfList(algorithm, spec.config))))
      : data === 'response-pairs' && parts > MOST_PARTS
        ? (MOST_PARTS - 1) * microBatchSize
        : batchSize
  return {
    ...spec,
    training: { ...training, batchSize: items, evalPairs: onTexts ? Math.min(evalPairs, GLANCE) : evalPairs },
  }
}

function textsOfList(algorithm: RankingAlgorithm, config: unknown): number {
  return rankingLoad(algorithm, algorithm.config.parse(config), { batchSize: 1, microBatchSize: 1 }).learned(1)
}

/**
 * A dry run: real updates at the longest items, an evaluation, and what memory they took. Its weights are thrown away.
 * Reports facts that runs/estimate.ts reads.
 * @param context with the specification of a dry run   @param asked the run's own
 */
export async function estimate(context: RunContext, asked: RunSpec): Promise<void> {
  const baseBytes = process.memoryUsage.rss()
  const beganAtMs = performance.now()
  const course = await openCourse(context, null)
  const setupMs = performance.now() - beganAtMs
  context.phase('training')
  const { partMs, endMs } = await timeEvaluation(course, context.spec, asked)
  const times = asked.training.steps === 0 ? [] : await timeSteps(context, course)
  const scale = asked.training.batchSize / context.spec.training.batchSize
  const stepsMs = times.map((ms) => ms * scale)
  const peakBytes = process.resourceUsage().maxRSS * 1024
  const { parameterCount } = course
  const weightBytes = course.weightBytes ?? 4 * parameterCount
  const optimizerBytes = 4 * course.optimizerCount
  context.emit({
    type: 'fact',
    facts: {
      parameterCount,
      stepMs: quantile(stepsMs, 0.5),
      stepSpreadMs: (quantile(stepsMs, 0.75) - quantile(stepsMs, 0.25)) / 2,
      stepsRun: stepsMs.length,
      evaluationMs: partMs,
      lastEvaluationMs: endMs,
      setupMs,
      peakBytes,
      baseBytes,
      weightBytes,
      optimizerBytes,
      activationBytes: Math.max(0, peakBytes - baseBytes - weightBytes - optimizerBytes),
      // Of adapters: they and their two moments; the frozen model is not written again. A reference that follows is as
      // large as what trains.
      checkpointBytes:
        (context.spec.training.adapt === 'lora' ? 1.5 * optimizerBytes : weightBytes + optimizerBytes) +
        (movesReference(course.algorithm, context.spec.training) ? optimizerBytes / 2 : 0),
    },
  })
  context.emit({ type: 'done', outcome: 'finished', summary: {} }, true)
}

/**
 * Milliseconds of each update at the items that take the most. The first, which compiles kernels, is left out unless it
 * alone takes long, and so is one on other items, which leaves memory cut as a run's is.
 */
async function timeSteps(context: RunContext, course: Course): Promise<number[]> {
  const times: number[] = []
  const beganAtMs = performance.now()
  const elapsed = (): number => performance.now() - beganAtMs
  const steps = WARM_UP_STEPS + Math.min(MOST_STEPS, Math.max(2, context.spec.training.steps))
  for (let step = 0; step < steps && (step <= WARM_UP_STEPS || elapsed() < LONGEST_MS); step += 1) {
    if (step === WARM_UP_STEPS && elapsed() > 2 * LONGEST_MS) break
    const startedAtMs = performance.now()
    await course.update(course.heaviest, step + 1)
    times.push(performance.now() - startedAtMs)
    if (step < WARM_UP_STEPS) await course.update(course.plan.next(), step + 1)
    await context.breathe()
  }
  return times.length > WARM_UP_STEPS ? times.slice(WARM_UP_STEPS) : times
}

/** What an evaluation in between and those at the end would take, the test side under the best checkpoint too: of what grows with the items as much more as there are more of them. */
async function timeEvaluation(
  course: Course,
  dry: RunSpec,
  asked: RunSpec,
): Promise<{ readonly partMs: number; readonly endMs: number }> {
  const startedAtMs = performance.now()
  const { samplingMs = 0 } = await course.evaluate(0, 'part')
  const itemsMs = performance.now() - startedAtMs - samplingMs
  const { validation, test } = asked.data.counts
  const side = validation > 0 ? validation : test
  const seen = Math.max(1, Math.min(dry.training.evalPairs, side))
  const of = (items: number): number => (itemsMs * items) / seen + samplingMs
  return { partMs: of(Math.min(asked.training.evalPairs, side)), endMs: of(validation + 2 * test) }
}

/** Linear between the neighbors. */
function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  const place = (sorted.length - 1) * share
  const low = sorted[Math.floor(place)] ?? 0
  return low + ((sorted[Math.ceil(place)] ?? low) - low) * (place - Math.floor(place))
}
