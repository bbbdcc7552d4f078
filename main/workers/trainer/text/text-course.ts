import type { Algorithm, Batch, BatchTotals, LossResult, Network } from '../../../core/learn/define.ts'
import { sizeOfShape } from '../../../core/learn/models/parameters.ts'
import { createRandom } from '../../../core/learn/random.ts'
import type { Checkpoint } from '../../../core/models/checkpoint-files.ts'
import type { Course, Evaluation, Extent } from '../course.ts'
import { firstPairs, scorePairs } from './evaluate.ts'
import { choiceOf, heldOutOf, joined, measureHeldOut, NOTHING } from '../held-out.ts'
import { minimizeParts, withBefore, type Update } from '../minimize.ts'
import type { StepBatch } from './rollouts.ts'
import { restoreDecoder } from '../origin.ts'
import type { RunContext } from '../run-context.ts'
import { openSampler } from './samples.ts'
import { createSaver } from './save-session.ts'
import { openSession, type Session } from './text-session.ts'
import { sizeOf } from './training-data.ts'

/** Policies and reward models on pairs of completions. */
export async function openTextCourse(context: RunContext, from: Checkpoint | null): Promise<Course> {
  const session = await openSession(context, from)
  const sampler = await openSampler(session)
  const { algorithm, plan, items, rollouts, fresh, sets, decoder, optimizer, reference } = session
  const { training } = context.spec
  const lengths = rollouts?.lengths ?? items.lengths
  let work = 0
  const heldOut = heldOutOf(sets.validation, sets.test, sizeOf(sets.validation) === 0)

  async function evaluate(_step: number, extent: Extent): Promise<Evaluation> {
    const { metrics, items } = await measureHeldOut(heldOut, extent, async (set, prefix, part) =>
      joined(
        await scorePairs(session, part ? firstPairs(set, training.evalPairs) : set, prefix),
        extent === 'choice' ? NOTHING : ((await fresh?.evaluate(prefix)) ?? NOTHING),
      ),
    )
    if (sampler === null || extent === 'choice' || extent === 'test') return { metrics, items, samples: null }
    const beganAtMs = performance.now()
    const drawn = await sampler.sample()
    const samplingMs = performance.now() - beganAtMs
    return { metrics: { ...metrics, ...drawn.metrics }, items, samples: drawn.items, samplingMs }
  }

  return {
    algorithm,
    plan,
    rateName: 'tokens_per_sec',
    parameterCount: decoder.parameterCount,
    weightBytes: decoder.weightBytes,
    optimizerCount: Object.values(optimizer.shapes).reduce((sum, shape) => sum + sizeOfShape(shape), 0),
    heaviest: lengths
      .map((_length, index) => index)
      .sort((a, b) => lengths[b]! - lengths[a]!)
      .slice(0, training.batchSize), // indices of items
    async update(chosen, step) {
      // After every so many steps, and after what is measured and saved there: right at the copy both are the same policy.
      const { referenceSyncEvery: every } = training
      if (step > 1 && every > 0 && (step - 1) % every === 0) reference?.moving?.follow()
      const batch = await session.batchOf(chosen, step)
      work = batch.tokens
      return descend(session, batch, step)
    },
    work: () => work,
    evaluate,
    choiceBy: (metric) =>
      choiceOf(heldOut, metric.startsWith('eval/rollout/') ? 0 : sizeOf(heldOut.side), training.evalPairs),
    restore(checkpoint) {
      restoreDecoder(decoder, checkpoint)
      if (checkpoint.reference !== null) reference?.moving?.restore(checkpoint.reference)
    },
    save: createSaver(session),
  }
}

/** The step's updates, by the method's own step if it has one. Dropout is drawn from seed, step, update and part. */
async function descend(session: Session, batch: StepBatch, step: number): Promise<Update> {
  const { context, algorithm, config, decoder, optimizer } = session
  const { seed } = context.spec
  // The schedule counts steps; the optimizer counts updates.
  const training = { ...context.spec.training, steps: context.spec.training.steps * batch.updates }
  const random = createRandom(seed).fork('dropout').fork(String(step))
  let done: Update | null = null
  try {
    for (let update = 0; update < batch.updates; update += 1) {
      const drawn = update === 0 ? random : random.fork(`update ${update}`)
      const dropOut = (part: number): void =>
        decoder.setDropout({ rate: training.dropout, random: drawn.fork(String(part)) })
      const parts = await withBefore(algorithm, decoder, config, batch.parts)
      const minimize = (loss: (part: Batch, totals: BatchTotals) => LossResult): Promise<Update> =>
        minimizeParts(decoder, optimizer, training, parts, loss, dropOut)
      done =
        algorithm.step === undefined
          ? await minimize((part, totals) => algorithm.loss({ network: decoder, batch: part, totals, config }))
          : await ownStep(algorithm.step, decoder, config, minimize)
      decoder.setDropout(null)
    }
  } finally {
    decoder.setDropout(null)
  }
  return {
    gradNorm: done?.gradNorm ?? 0,
    learningRate: done?.learningRate ?? 0,
    metrics: { ...done?.metrics, ...batch.metrics },
  }
}

async function ownStep(
  step: NonNullable<Algorithm['step']>,
  network: Network,
  config: unknown,
  minimize: (loss: (batch: Batch, totals: BatchTotals) => LossResult) => Promise<Update>,
): Promise<Update> {
  let update: Update | null = null
  const metrics = await step({
    network,
    config,
    minimize: async (loss) => {
      update = await minimize(loss)
      return update.metrics
    },
  })
  const done = update as Update | null // assigned in the closure
  return { gradNorm: done?.gradNorm ?? 0, learningRate: done?.learningRate ?? 0, metrics }
}
