import { ROLL_OUT_SEED, type SegmentSet } from '../../../../shared/segments.ts'
import { evaluateSegments } from '../../../core/learn/control/control-evaluation.ts'
import { assignFrom } from '../../../core/learn/models/assign.ts'
import { mainMetricOn } from '../../../core/learn/define.ts'
import { startControlRun, type ControlRun } from '../../../core/learn/control/control-run.ts'
import type { ControlMethod } from '../../../core/learn/control/control.ts'
import { findControlMethod } from '../../../core/learn/registry.ts'
import type { Checkpoint } from '../../../core/models/checkpoint-files.ts'
import type { TensorToWrite } from '../../../core/models/write.ts'
import { worlds } from '../../../core/worlds/registry.ts'
import type { WorldKind } from '../../../core/worlds/define.ts'
import { rollOut } from '../../../core/worlds/roll-out.ts'
import type { ItemOutcome } from '../../../base/run-folder/held-out-items.ts'
import { saveCheckpoint } from '../checkpoint.ts'
import type { Course, Evaluation, Extent } from '../course.ts'
import { choiceOf, heldOutOf, measureHeldOut, NOTHING, type HeldOut, type SideNumbers } from '../held-out.ts'
import { withMean, withShare } from '../intervals.ts'
import type { RunContext } from '../run-context.ts'
import { openPlan } from '../open-plan.ts'
import { parseConfig } from '../parse-config.ts'
import { readSegments } from './segment-data.ts'

/** Where those begin that nothing is chosen by. */
const TEST_SEED = 2_000_000
/** How many times the usual episodes they are. */
const TEST_TIMES = 4

/** Policies that act, trained on pairs of segments and judged by acting. */
export async function openSegmentCourse(context: RunContext, from: Checkpoint | null): Promise<Course> {
  const { spec } = context
  context.phase('loading')
  const method = findControlMethod(spec.method)
  const config = parseConfig(method, spec.config)
  const data = await readSegments(spec.data.viewPath, spec.data.viewHash)
  await context.breatheOrStop()
  const { train, validation, test } = data.sets
  const world = worlds.find(({ info }) => info.id === data.world) ?? null
  const run = startControlRun({
    method,
    config,
    training: spec.training,
    sizes: { observation: train.observationSize, action: train.actionSize },
    seed: spec.seed,
  })
  const names = Object.keys(await run.save())
  if (from !== null) run.restore(tensorsOf(from, names))
  // Methods that look at no label may be trained where nobody judged anything.
  const items = Math.max(1, train.comparisons!.first.length)
  const plan = openPlan(
    Array.from({ length: items }, () => train.time),
    spec,
    from,
  )
  const fitting = mainMetricOn(method, method.data, config, spec.training)
  const mainMetric = world === null && spec.training.bestBy === 'auto' ? 'eval/preferences/accuracy' : fitting
  if (world === null)
    context.warn(
      'These segments come from no world of Pairlab, so the policy cannot be tried out: it is judged by held-out preferences alone.',
      'Collect segments with `pairlab collect` to have returns as well.',
    )
  context.emit({
    type: 'fact',
    facts: {
      methodName: method.name,
      mainMetric,
      parameterCount: run.parameterCount,
      world: data.world,
      trainItems: train.comparisons!.first.length,
      trainSegments: train.count,
      validationPairs: validation.comparisons!.first.length,
      testPairs: test.comparisons!.first.length,
    },
  })
  const heldOut = heldOutOf(validation, test, validation.count === 0)
  let steps = 0

  return {
    algorithm: { ...method, mainMetric },
    plan,
    rateName: 'transitions_per_sec',
    parameterCount: run.parameterCount,
    optimizerCount: 2 * run.parameterCount,
    heaviest: Array.from({ length: Math.min(items, spec.training.batchSize) }, (_, item) => item),
    async update(chosen) {
      const update = await run.update(train, chosen)
      steps = update.steps
      return update
    },
    work: () => steps,
    evaluate: (_step, extent) => evaluate({ context, method, config, run, world, heldOut }, extent),
    choiceBy: (metric) =>
      metric === 'eval/return' || metric === 'eval/success' ? 'alike' : choiceOf(heldOut, 0, Number.POSITIVE_INFINITY),
    restore({ source }) {
      const { policy } = run.networks
      for (const [name, variable] of Object.entries(policy!.variables))
        // every control method has one
        assignFrom(variable, source, `policy/${name}`)
    },
    async save(position) {
      const tensors = Object.entries(await run.save()).map(([name, tensor]): [string, TensorToWrite] => [
        name,
        { shape: tensor.shape, read: async () => tensor.data },
      ])
      const config = {
        model_type: 'pairlab-networks',
        method: method.id,
        world: data.world,
        networks: Object.fromEntries(Object.entries(run.networks).map(([name, network]) => [name, network.config])),
      }
      return saveCheckpoint(context.folder, {
        config,
        tokenizer: null,
        adapter: null,
        weights: Object.fromEntries(tensors.filter(([name]) => !isOptimizer(name))),
        optimizer: Object.fromEntries(tensors.filter(([name]) => isOptimizer(name))),
        state: { ...position, base: null },
      })
    },
  }
}

const isOptimizer = (name: string): boolean => name === 'step' || name.startsWith('optimizer/')

function tensorsOf(
  from: Checkpoint,
  names: readonly string[],
): Record<string, { readonly shape: readonly number[]; readonly data: Float32Array }> {
  const weights = names.filter((name) => !isOptimizer(name)).map((name) => [name, from.source.read(name)] as const)
  return {
    ...Object.fromEntries(weights),
    ...Object.fromEntries(
      Object.entries(from.optimizer).map(([name, { shape, data }]) => [name, { shape, data: Float32Array.from(data) }]),
    ),
  }
}

interface Judged {
  readonly context: RunContext
  readonly method: ControlMethod
  readonly config: unknown
  readonly run: ControlRun
  readonly world: WorldKind | null
  readonly heldOut: HeldOut<SegmentSet>
}

async function scoreSegments(run: ControlRun, set: SegmentSet, prefix: string): Promise<SideNumbers> {
  if (set.count === 0) return NOTHING
  const { outcomes, bcLoss } = await evaluateSegments(run.networks['policy']!, set)
  const told = outcomes.map(({ pair, value }) => ({
    item: String(pair),
    cluster: set.groups?.[pair] ?? String(pair),
    weight: 1,
    value,
  }))
  return {
    metrics: {
      [`${prefix}/pairs`]: told.length,
      [`${prefix}/bc/loss`]: bcLoss,
      ...(told.length === 0 ? {} : withShare(`${prefix}/preferences/accuracy`, told)),
    },
    items: told.length === 0 ? {} : { 'preferences/accuracy': told },
  }
}

async function evaluate({ context, run, world, heldOut, config }: Judged, extent: Extent): Promise<Evaluation> {
  const { metrics, items } = await measureHeldOut(heldOut, extent, (set, prefix) => scoreSegments(run, set, prefix))
  await context.breathe()
  if (world === null) return { metrics, items, samples: null }
  const { evalEpisodes } = config as { readonly evalEpisodes: number } // every control method has it
  /** Episodes of their own for each seed of a run; runs of equal seeds begin in the same places. */
  const act = async (prefix: 'eval' | 'test', episodes: number, from: number): Promise<SideNumbers> => {
    const seed = from + context.spec.seed
    const outcomes = await rollOut(world, run.act, {
      episodes,
      seed,
      async breathe(share) {
        context.progress(Math.floor(share * episodes), episodes)
        await context.breathe()
      },
    })
    const told = (valueOf: (outcome: (typeof outcomes)[number]) => number): ItemOutcome[] =>
      outcomes.map((outcome, at) => {
        const item = `start ${seed}, episode ${at}`
        return { item, cluster: item, weight: 1, value: valueOf(outcome) }
      })
    const totals = told(({ total }) => total)
    const successes = world.info.success === null ? null : told(({ success }) => (success ? 1 : 0))
    return {
      metrics: {
        ...withMean(
          `${prefix}/return`,
          totals.map(({ value }) => value),
        ),
        [`${prefix}/episodes`]: outcomes.length,
        ...(successes === null ? {} : withShare(`${prefix}/success`, successes)),
      },
      items: { return: totals, ...(successes === null ? {} : { success: successes }) },
    }
  }
  const judged = extent === 'test' ? NOTHING : await act('eval', evalEpisodes, ROLL_OUT_SEED)
  const last = extent === 'end' || extent === 'test' ? await act('test', TEST_TIMES * evalEpisodes, TEST_SEED) : NOTHING
  const whole = extent !== 'part' && extent !== 'choice'
  return {
    metrics: { ...metrics, ...judged.metrics, ...last.metrics },
    items: {
      ...(whole && extent !== 'test' ? { eval: { ...items.eval, ...judged.items } } : {}),
      ...(last === NOTHING ? {} : { test: { ...items.test, ...last.items } }),
    },
    samples: null,
  }
}
