import type { Batch, BatchTotals, LossResult } from '../learn/define.ts'
import { sizeOfShape } from '../learn/models/parameters.ts'
import { createRandom } from '../learn/random.ts'
import type { Checkpoint } from '../models/checkpoint-files.ts'
import type { Course, Evaluation, Extent } from './course.ts'
import { firstPairs, scorePairs } from './evaluate.ts'
import { minimizeParts, type BatchParts, type Update } from './minimize.ts'
import type { RunContext } from './run-context.ts'
import { openSampler } from './samples.ts'
import { createSaver } from './save-session.ts'
import { openSession, type Session } from './session.ts'

/** Policies and reward models on pairs of completions. */
export async function openTextCourse(context: RunContext, from: Checkpoint | null): Promise<Course> {
  const session = await openSession(context, from)
  const sampler = await openSampler(session)
  const { algorithm, plan, items, sets, decoder, optimizer } = session
  const { training } = context.spec
  const heldOut = sets.validation.pairs.length > 0 ? sets.validation : sets.test

  async function evaluate(_step: number, extent: Extent): Promise<Evaluation> {
    const metrics: Record<string, number> = await scorePairs(session, extent === 'part' ? firstPairs(heldOut, training.evalPairs) : heldOut, 'eval')
    // The test side is looked at once: what was chosen by the validation side is not judged by it.
    if (extent === 'end' && heldOut !== sets.test) Object.assign(metrics, await scorePairs(session, sets.test, 'test'))
    if (sampler === null) return { metrics, samples: null }
    const drawn = await sampler.sample()
    return { metrics: { ...metrics, ...drawn.metrics }, samples: drawn.items }
  }

  return {
    algorithm,
    plan,
    rateName: 'tokens_per_sec',
    parameterCount: decoder.parameterCount,
    optimizerCount: Object.values(optimizer.shapes).reduce((sum, shape) => sum + sizeOfShape(shape), 0),
    heaviest: items.lengths.map((_length, index) => index).sort((a, b) => items.lengths[b]! - items.lengths[a]!).slice(0, training.batchSize), // indices of items
    update: (chosen, step) => descend(session, items.parts(chosen), step),
    work: items.tokens,
    evaluate,
    save: createSaver(session),
  }
}

/** One update, by the method's own step if it has one. Dropout is drawn from seed, step and part. */
async function descend(session: Session, parts: BatchParts, step: number): Promise<Update> {
  const { context, algorithm, config, decoder, optimizer } = session
  const { training, seed } = context.spec
  const random = createRandom(seed).fork('dropout').fork(String(step))
  const dropOut = (part: number): void => decoder.setDropout({ rate: training.dropout, random: random.fork(String(part)) })
  const minimize = (loss: (batch: Batch, totals: BatchTotals) => LossResult): Promise<Update> => minimizeParts(decoder, optimizer, training, parts, loss, dropOut)
  try {
    if (algorithm.step === undefined) return await minimize((batch, totals) => algorithm.loss({ network: decoder, batch, totals, config }))
    let update: Update | null = null
    const metrics = await algorithm.step({
      network: decoder,
      config,
      minimize: async (loss) => {
        update = await minimize(loss)
        return update.metrics
      },
    })
    const done = update as Update | null // assigned in the closure
    return { gradNorm: done?.gradNorm ?? 0, learningRate: done?.learningRate ?? 0, metrics }
  } finally {
    decoder.setDropout(null)
  }
}
