// What the reproductions on control share: methods that branch off one cloned policy, evaluated on the same starts.
import type { SegmentSet } from '../../../shared/segments.ts'
import { bc } from '../../core/learn/algorithms/bc.ts'
import type { ControlMethod } from '../../core/learn/control/control.ts'
import { CONTROL_TRAINING, startControlRun, type ControlTraining } from '../../core/learn/control/control-run.ts'
import type { NamedTensor } from '../../core/learn/models/parameters.ts'
import type { WorldKind } from '../../core/worlds/define.ts'
import { rollOut, type BatchPolicy, type Outcome } from '../../core/worlds/roll-out.ts'

export interface Contestant {
  readonly name: string
  // Known only inside the method's own page; its schema stands guard.
  readonly method: ControlMethod
  /** What differs from the defaults. */
  readonly config: Readonly<Record<string, unknown>>
  /** Goes on from the shared cloned policy, as its own cloning stage would leave it. */
  readonly branches: boolean
  readonly training?: Partial<ControlTraining>
  /** Other scores of the same segments than the study's own. */
  readonly scores?: Float64Array
}

/** A method's page, whose settings only its own schema knows. */
export const asControl = (method: unknown): ControlMethod => method as ControlMethod

export interface StudyOptions {
  readonly kind: WorldKind
  readonly set: SegmentSet
  readonly seed: number
  readonly steps: number
  /** Share of the steps that clones all segments. */
  readonly cloningShare: number
  readonly training: Partial<ControlTraining>
  /** Network sizes and the like, for every method. */
  readonly shared: Readonly<Record<string, unknown>>
  readonly episodes: number
  /** Steps at which policies are measured; the last one always is. */
  readonly measureEvery: number
  say(text: string): void
}

export interface Measured {
  readonly name: string
  readonly parameterCount: number
  readonly steps: readonly number[]
  /** Of the policy at each of these steps. */
  readonly outcomes: readonly (readonly Outcome[])[]
}

/** Where the episodes of every evaluation start: of this seed, other than those the data come from. */
const EVALUATION_SEED = 1_000_000

export function evaluatePolicy(
  kind: WorldKind,
  policy: BatchPolicy,
  episodes: number,
  seed: number,
): Promise<Outcome[]> {
  return rollOut(kind, policy, { episodes, seed: EVALUATION_SEED + seed })
}

/**
 * Trains every contestant. Those that begin by cloning share that stage, which is the same for all: its batches follow from seed and
 * step, at the full rate from the first on. What its optimizer holds goes on with those whose stages continue.
 */
export async function runStudy(contestants: readonly Contestant[], options: StudyOptions): Promise<Measured[]> {
  const { seed, steps, cloningShare, shared, set } = options
  const training = { ...CONTROL_TRAINING, ...options.training, steps }
  const sizes = { observation: set.observationSize, action: set.actionSize }
  const cloning = Math.round(steps * cloningShare)
  const base = startControlRun({
    method: bc as ControlMethod,
    config: bc.config.parse(shared),
    training: { ...training, steps: cloning, warmupFraction: 0 },
    sizes,
    seed,
  })
  for (let step = 0; step < cloning; step += 1) await base.update(set)
  const cloned = await base.save()
  const atStart = await evaluatePolicy(options.kind, base.act, options.episodes, seed)
  base.dispose()
  const measured: Measured[] = []
  for (const contestant of contestants) {
    const own = { ...training, ...contestant.training }
    const run = startControlRun({
      method: contestant.method,
      config: contestant.method.config.parse({ ...shared, ...contestant.config }),
      training: own,
      sizes,
      seed,
    })
    if (contestant.branches) run.restore(branchOff(cloned, await run.save()))
    const seen = contestant.scores === undefined ? set : { ...set, scores: contestant.scores }
    const at: number[] = contestant.branches ? [cloning] : []
    const outcomes: Outcome[][] = contestant.branches ? [atStart] : []
    while (run.step < own.steps) {
      await run.update(seen)
      if (run.step === own.steps || run.step % options.measureEvery === 0) {
        at.push(run.step)
        outcomes.push(await evaluatePolicy(options.kind, run.act, options.episodes, seed))
      }
    }
    const { parameterCount } = run
    run.dispose()
    measured.push({ name: contestant.name, parameterCount, steps: at, outcomes })
    options.say(`seed ${seed}: ${contestant.name} trained`)
  }
  return measured
}

/** The cloned policy and its step, in a run that has further networks of its own. */
function branchOff(
  cloned: Readonly<Record<string, NamedTensor>>,
  own: Readonly<Record<string, NamedTensor>>,
): Record<string, NamedTensor> {
  return { ...own, ...cloned }
}
