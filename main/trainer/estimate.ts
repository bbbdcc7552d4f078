import { sizeOfShape } from '../learn/models/parameters.ts'
import { minimizeParts } from './minimize.ts'
import type { RunContext } from './run-context.ts'
import { openSession, type Session } from './session.ts'
import { firstPairs, scorePairs } from './evaluate.ts'
import { openSampler } from './samples.ts'

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
  const session = await openSession(context, null)
  const setupMs = performance.now() - beganAtMs
  context.phase('training')
  const stepsMs = await timeSteps(session)
  const peakBytes = process.resourceUsage().maxRSS * 1024
  const evaluationMs = await timeEvaluation(session)
  const { parameterCount } = session.decoder
  const weightBytes = 4 * parameterCount
  const optimizerBytes = 4 * Object.values(session.optimizer.shapes).reduce((sum, shape) => sum + sizeOfShape(shape), 0)
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
      checkpointBytes: weightBytes + optimizerBytes,
    },
  })
  context.emit({ type: 'done', outcome: 'finished', summary: {} }, true)
}

/** Milliseconds of each update at the batch with the most tokens; the first, which compiles kernels, is left out. */
async function timeSteps({ context, items, decoder, optimizer, algorithm, config }: Session): Promise<number[]> {
  const { training } = context.spec
  const longest = items.lengths.map((_length, index) => index).sort((a, b) => items.lengths[b]! - items.lengths[a]!).slice(0, training.batchSize) // indices of items
  const times: number[] = []
  const beganAtMs = performance.now()
  const steps = Math.min(MOST_STEPS, Math.max(2, training.steps))
  for (let step = 0; step < WARM_UP_STEPS + steps && (times.length < 2 || performance.now() - beganAtMs < LONGEST_MS); step += 1) {
    const startedAtMs = performance.now()
    await minimizeParts(decoder, optimizer, training, items.parts(longest), (batch, totals) => algorithm.loss({ network: decoder, batch, totals, config }), () => undefined)
    if (step >= WARM_UP_STEPS) times.push(performance.now() - startedAtMs)
    await context.breathe()
  }
  return times
}

/** One held-out evaluation with its samples. */
async function timeEvaluation(session: Session): Promise<number> {
  const { sets, context } = session
  const sampler = await openSampler(session)
  const startedAtMs = performance.now()
  await scorePairs(session, firstPairs(sets.validation.pairs.length > 0 ? sets.validation : sets.test, context.spec.training.evalPairs), 'eval')
  await sampler?.sample()
  sampler?.dispose()
  return performance.now() - startedAtMs
}

/** Linear between the neighbors. */
function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  const place = (sorted.length - 1) * share
  const low = sorted[Math.floor(place)] ?? 0
  return low + ((sorted[Math.ceil(place)] ?? low) - low) * (place - Math.floor(place))
}
