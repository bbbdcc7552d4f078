import type { AlgorithmPage } from '../../core/learn/define.ts'
import { writeMeasuredItems, type MeasuredSide } from '../../base/run-folder/held-out-items.ts'
import { checkpointFolder } from '../../base/run-folder/paths.ts'
import { openWeights, type Checkpoint } from '../../core/models/checkpoint-files.ts'
import { describeMetric, lowerFirst } from '../../../shared/metric-names.ts'
import { formatNumber } from '../../../shared/units.ts'
import { AppError } from '../../../shared/errors.ts'
import { fellBelow } from './clear-fall.ts'
import { listCheckpointSteps, loadLastCheckpoint, pruneCheckpoints } from './checkpoint.ts'
import type { Course, Extent } from './course.ts'
import { openCourse } from './courses.ts'
import { createMetricBuffer, finiteOrNull } from './metric-buffer.ts'
import { notFiniteError, type Command, type RunContext } from './run-context.ts'

export type Outcome = 'finished' | 'cancelled' | 'interrupted'

/** The checkpoint a new trainer goes on from. Damaged ones are said aloud and passed over. */
export function findResumePoint(
  folder: string,
): Promise<{ readonly checkpoint: Checkpoint | null; readonly damaged: readonly string[] }> {
  return loadLastCheckpoint(folder)
}

/**
 * Trains from the checkpoint, or from the first step, to the end or to a stop. Everything that a later step depends
 * on is in the checkpoint or drawn from seed and step: stopping and going on gives the same numbers as never stopping.
 */
export async function train(
  context: RunContext,
  from: Checkpoint | null,
): Promise<{ readonly outcome: Outcome; readonly summary: Record<string, number | null> }> {
  const run = createProgress(context, await openCourse(context, from), from)
  context.phase('training')
  const { steps, evalEvery, checkpointEvery } = context.spec.training
  // The weights that training begins with may turn out to be the best. Without a step they are the last ones too.
  if (from === null && steps > 0 && evalEvery > 0 && (await run.evaluate(0, 'part')) && checkpointEvery > 0)
    await run.checkpoint()
  if (from?.state.owesEvaluation === true && (await run.evaluate(run.step, 'part'))) await run.checkpoint()
  const stopped = await trainSteps(context, run)
  if (stopped === 'stop') return { outcome: 'cancelled', summary: run.summary() }
  if (stopped !== null) {
    await run.checkpoint()
    // A signal leaves little time; a person who asked to save also wants to know how good it is.
    if (stopped === 'stop-and-save') await run.evaluate(run.step, 'all')
    return { outcome: 'interrupted', summary: run.summary() }
  }
  const late = await run.end()
  if (late === 'stop') return { outcome: 'cancelled', summary: run.summary() }
  return { outcome: late === 'terminate' ? 'interrupted' : 'finished', summary: run.summary() }
}

/** Returns the command that ended it, null at the last step. */
async function trainSteps(context: RunContext, run: Progress): Promise<Exclude<Command, 'checkpoint'> | null> {
  const { steps, evalEvery, checkpointEvery } = context.spec.training
  while (run.step < steps) {
    const command = context.command()
    if (command === 'checkpoint') await run.checkpoint()
    else if (command !== null) return command
    if (!(await run.update())) continue
    const { step } = run
    if (step < steps) {
      const improved = evalEvery > 0 && step % evalEvery === 0 && (await run.evaluate(step, 'part'))
      // The best weights would be gone by the next step.
      if (checkpointEvery > 0 && (improved || step % checkpointEvery === 0)) await run.checkpoint()
    }
    await context.breathe()
  }
  return null
}

interface Progress {
  readonly step: number
  /** False where it was dropped, because somebody said stop. */
  update(): Promise<boolean>
  /** True when the held-out metric that counts is the best so far. */
  evaluate(step: number, extent: 'part' | 'all'): Promise<boolean>
  checkpoint(): Promise<void>
  /** The last evaluation, the last checkpoint, and the test side under the best one. Returns what was asked meanwhile. */
  end(): Promise<Command | null>
  summary(): Record<string, number | null>
}

type Measured = Readonly<Record<string, number>>

interface Position {
  step: number
  tokensSeen: number
  best: { readonly step: number; readonly value: number; readonly by: string } | null
  savedStep: number | null
  /** What a checkpoint says of the same name. */
  owesEvaluation: boolean
}

function createProgress(context: RunContext, course: Course, from: Checkpoint | null): Progress {
  const { algorithm, plan } = course
  const { spec, folder } = context
  const { training } = spec
  const at: Position = {
    step: from?.state.step ?? 0,
    tokensSeen: from?.state.tokensSeen ?? 0,
    best: from?.state.best?.by === algorithm.mainMetric ? from.state.best : null,
    savedStep: from?.state.step ?? null,
    owesEvaluation: from?.state.owesEvaluation ?? false,
  }
  // Without checkpoints in between there is one to take.
  const chooses = training.checkpointEvery === 0 ? 'none' : course.choiceBy(algorithm.mainMetric)
  if (from !== null) sayBest() // what came after it no longer counts
  const last: Record<string, number> = {}
  let began: Measured | null = null
  const beganAtMs = performance.now() - (from?.state.wallMs ?? 0)
  const wallMs = (): number => performance.now() - beganAtMs
  const buffer = createMetricBuffer((columns) => context.emit({ type: 'metrics', columns }))

  async function update(): Promise<boolean> {
    const startedAtMs = performance.now()
    const chosen = plan.next()
    const step = at.step + 1
    const done = await context.unlessStopped(() => course.update(chosen, step))
    if (done === null) return false
    context.checkEngine() // before its zeros are taken for numbers
    if (!Number.isFinite(done.metrics['loss'] ?? 0)) throw failed(step, 'the loss')
    if (!Number.isFinite(done.gradNorm)) throw failed(step, 'the gradient')
    const work = course.work(chosen)
    at.step = step
    at.tokensSeen += work
    const trainMs = performance.now() - startedAtMs
    context.stepDone(step, trainMs)
    buffer.add(step, wallMs(), {
      ...done.metrics,
      grad_norm: done.gradNorm,
      learning_rate: done.learningRate,
      epoch: plan.epoch,
      [course.rateName]: (1000 * work) / trainMs,
    })
    const machine = context.machine()
    if (machine !== null) buffer.add(step, wallMs(), machine)
    buffer.flushIfDue()
    return true
  }

  function failed(step: number, what: string): Error {
    buffer.flush()
    return notFiniteError(step, what, at.savedStep)
  }

  async function evaluate(step: number, extent: 'part' | 'all'): Promise<boolean> {
    buffer.flush()
    context.phase('evaluating')
    const values = await measure(step, extent)
    at.owesEvaluation = values === null && extent === 'part' // the last one is made by whoever comes to the end
    if (values === null) return false // half an evaluation is none
    Object.assign(last, values)
    buffer.add(step, wallMs(), values)
    buffer.flush()
    if (step === 0) sayUnmeasured(values)
    if (step === 0) began = values
    else if (began !== null && extent === 'part') warnOfFall(step, began, values)
    if (extent === 'part') context.phase('training')
    return (extent === 'part' || chooses === 'alike') && noteBest(step, values)
  }

  /** Null where there was no time for it. */
  async function measure(step: number, extent: Extent): Promise<Measured | null> {
    const done = await context.unlessHurried(() => course.evaluate(step, extent))
    if (done === null) return null
    if (done.samples !== null) context.emit({ type: 'sample', step, items: [...done.samples] })
    context.checkEngine()
    for (const [side, items] of Object.entries(done.items ?? {}))
      writeMeasuredItems(folder, side as MeasuredSide, step, items) // the names of its keys
    return done.metrics
  }

  async function end(): Promise<Command | null> {
    buffer.flush()
    context.phase('evaluating')
    const { step } = at
    const values = await measure(step, 'end')
    if (values !== null) {
      Object.assign(last, values)
      const like = chooses === 'part' && at.best !== null ? await measure(step, 'choice') : values
      if (like !== null) noteBest(step, like)
    }
    const asked = context.command()
    if (asked !== 'stop') await checkpoint() // from here on its weights may go
    const best = values === null || asked === 'stop' ? null : await measureBest()
    // In the order of the steps, as curves are drawn.
    if (best !== null) buffer.add(best.step, wallMs(), best.values)
    if (values !== null) buffer.add(step, wallMs(), values)
    buffer.flush()
    return asked ?? context.command()
  }

  /** Of the best checkpoint, where that is not the last: what the test side says of it. */
  async function measureBest(): Promise<{ readonly step: number; readonly values: Measured } | null> {
    const { best, step } = at
    if (best === null || best.step === step || !listCheckpointSteps(folder).includes(best.step)) return null
    context.phase('evaluating')
    try {
      const checkpoint = await openWeights(checkpointFolder(folder, best.step))
      try {
        course.restore(checkpoint)
      } finally {
        checkpoint.close()
      }
    } catch (error) {
      if (!(error instanceof AppError || error instanceof RangeError)) throw error
      context.warn(
        `The best checkpoint, that of step ${best.step}, was not measured on the test side: ${error.message}`,
        'Its numbers on the validation side stand; the last checkpoint is whole.',
      )
      return null
    }
    const values = await measure(best.step, 'test')
    return values === null || Object.keys(values).length === 0 ? null : { step: best.step, values }
  }

  function sayUnmeasured(values: Measured): void {
    const { bestBy } = training
    if (bestBy === 'auto' || values[bestBy] !== undefined) return
    context.warn(
      `The ${sayMetric(bestBy)} (${bestBy}) is not measured in this run, so that no checkpoint can be chosen by it; the last one is reported.`,
      'Leave the choice of the best checkpoint to Pairlab, or name a metric that the curves of a run like this show.',
    )
  }

  function sayMetric(name: string): string {
    return lowerFirst(describeMetric(name, algorithm.metrics).label)
  }

  /** Said once, while the run is young enough to be begun anew. */
  function warnOfFall(step: number, before: Measured, now: Measured): void {
    const name = algorithm.mainMetric
    if (!fellBelow(before, now, name, goalOf(algorithm))) return
    began = null
    context.warn(
      `After ${step} steps the ${sayMetric(name)} is ${formatNumber(now[name])}, clearly worse than the ${formatNumber(before[name])} of the weights that training began with.`,
      'A lower learning rate usually helps; of a model that was trained elsewhere the presets “LoRA” and “Pre-trained” have it.',
    )
  }

  function noteBest(step: number, values: Readonly<Record<string, number>>): boolean {
    const value = values[algorithm.mainMetric]
    if (chooses === 'none' || value === undefined || !Number.isFinite(value)) return false
    const sign = goalOf(algorithm) === 'min' ? -1 : 1
    if (at.best !== null && sign * value <= sign * at.best.value) return false
    at.best = { step, value, by: algorithm.mainMetric }
    sayBest()
    return true
  }

  function sayBest(): void {
    context.emit({
      type: 'fact',
      facts: { bestStep: at.best?.step ?? null, bestValue: at.best?.value ?? null, bestBy: algorithm.mainMetric },
    })
  }

  /** The log up to here is on the disk before the checkpoint that goes with it. */
  async function checkpoint(): Promise<void> {
    if (at.savedStep === at.step && from?.state.step !== at.step) return
    buffer.flush()
    context.phase('saving')
    context.syncLog()
    const saved = await course.save({
      step: at.step,
      eventSeq: context.lastSeq,
      wallMs: wallMs(),
      tokensSeen: at.tokensSeen,
      plan: { ...plan.state(), random: [...plan.state().random] },
      best: at.best,
      owesEvaluation: at.owesEvaluation,
    })
    at.savedStep = at.step
    context.emit({ type: 'checkpoint', step: at.step, ...saved, best: at.best?.step === at.step }, true)
    pruneCheckpoints(folder, training.keepCheckpoints, at.best?.step ?? null)
    if (at.step < training.steps) context.phase('training')
  }

  return {
    get step() {
      return at.step
    },
    update,
    evaluate,
    checkpoint,
    end,
    summary: () =>
      Object.fromEntries(
        [...Object.entries(last), ['steps', at.step], ['tokens', at.tokensSeen], ['wallMs', wallMs()]].map(
          ([name, value]) => [name, finiteOrNull(value as number)],
        ),
      ), // all numbers
  }
}

function goalOf(algorithm: AlgorithmPage): 'min' | 'max' | 'none' {
  return describeMetric(algorithm.mainMetric, algorithm.metrics).goal
}
