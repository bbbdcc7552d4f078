import type { Course } from './course.ts'
import { openCourse } from './courses.ts'
import type { RunContext } from './run-context.ts'

const WARM_UP_STEPS = 1
const MOST_STEPS = 8
const LONGEST_MS = 15_000

/**
 * A dry run: real updates at the longest batch, one evaluation, and what memory they took. Its weights are thrown away.
 * Reports facts that runs/estimate.ts reads.
 */
export async function estimate(context: RunContext): Promise<void> {
  const baseBytes = process.memoryUsage.rss()
  const beganAtMs = performance.now()
  const course = await openCourse(context, null)
  const setupMs = performance.now() - beganAtMs
  context.phase('training')
  const stepsMs = await timeSteps(context, course)
  const peakBytes = process.resourceUsage().maxRSS * 1024
  const evaluationMs = await timeEvaluation(course)
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
      evaluationMs,
      setupMs,
      peakBytes,
      baseBytes,
      weightBytes,
      optimizerBytes,
      activationBytes: Math.max(0, peakBytes - baseBytes - weightBytes - optimizerBytes),
      // Of adapters: they and their two moments; the frozen model is not written again.
      checkpointBytes: context.spec.training.adapt === 'lora' ? 1.5 * optimizerBytes : weightBytes + optimizerBytes,
    },
  })
  context.emit({ type: 'done', outcome: 'finished', summary: {} }, true)
}

/** Milliseconds of each update at the batch that takes the most; the first, which compiles kernels, is left out. */
async function timeSteps(context: RunContext, course: Course): Promise<number[]> {
  const times: number[] = []
  const beganAtMs = performance.now()
  const steps = Math.min(MOST_STEPS, Math.max(2, context.spec.training.steps))
  for (
    let step = 0;
    step < WARM_UP_STEPS + steps && (times.length < 2 || performance.now() - beganAtMs < LONGEST_MS);
    step += 1
  ) {
    const startedAtMs = performance.now()
    await course.update(course.heaviest, step + 1)
    if (step >= WARM_UP_STEPS) times.push(performance.now() - startedAtMs)
    await context.breathe()
  }
  return times
}

/** One held-out evaluation with its samples. */
async function timeEvaluation(course: Course): Promise<number> {
  const startedAtMs = performance.now()
  await course.evaluate(0, 'part')
  return performance.now() - startedAtMs
}

/** Linear between the neighbors. */
function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  const place = (sorted.length - 1) * share
  const low = sorted[Math.floor(place)] ?? 0
  return low + ((sorted[Math.ceil(place)] ?? low) - low) * (place - Math.floor(place))
}
