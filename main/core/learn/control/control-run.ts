import type { SegmentSet } from '../../../../shared/segments.ts'
import type { TrainingConfig } from '../../../../shared/training-config.ts'
import { disposeSegmentBatch, drawPairs, segmentBatch, takePairs } from './control-batches.ts'
import type { ControlMethod, ControlSizes, Stage } from './control.ts'
import type { LossResult } from '../define.ts'
import { createMlp, freshMlpWeights, mlpShapes, type Mlp } from '../models/mlp.ts'
import type { NamedTensor } from '../models/parameters.ts'
import { createOptimizer, learningRateAt, readGlobalNorm, type Optimizer } from '../optimizer.ts'
import { createRandom } from '../random.ts'
import { isTarget, sourceOfTarget } from './control-targets.ts'
import { tf } from '../tf.ts'

export type ControlTraining = Pick<
  TrainingConfig,
  | 'steps'
  | 'batchSize'
  | 'learningRate'
  | 'warmupFraction'
  | 'schedule'
  | 'minLearningRateRatio'
  | 'beta1'
  | 'beta2'
  | 'epsilon'
  | 'weightDecay'
  | 'clipNorm'
  | 'dropout'
>

/** Adam as in the paper: no decay, no clipping, a constant rate behind the warm-up. */
export const CONTROL_TRAINING: ControlTraining = {
  steps: 1000,
  batchSize: 96,
  learningRate: 1e-4,
  warmupFraction: 0.02,
  schedule: 'constant',
  minLearningRateRatio: 0,
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-8,
  weightDecay: 0,
  clipNorm: 0,
  dropout: 0,
}

export interface ControlOptions<C> {
  readonly method: ControlMethod<C>
  readonly config: C
  readonly training: ControlTraining
  readonly sizes: ControlSizes
  readonly seed: number
}

export interface ControlUpdate {
  readonly metrics: Readonly<Record<string, number>>
  /** Largest over the update's optimizers. */
  readonly gradNorm: number
  readonly learningRate: number
  readonly stage: string
  /** Real time steps in the batch. */
  readonly steps: number
}

export interface ControlRun {
  /** Updates taken so far. */
  readonly step: number
  readonly networks: Readonly<Record<string, Mlp>>
  readonly parameterCount: number
  /**
   * Draws a batch from seed and step, and takes one update.
   * @param judged numbers of judged pairs, for stages that learn from them, in place of a draw
   */
  update(set: SegmentSet, judged?: readonly number[]): Promise<ControlUpdate>
  /** The policy's actions, dropout off. [row, observation] → [row, action] */
  act(observations: Float32Array, rows: number): Promise<Float32Array>
  /** Everything the next update depends on: weights `<network>/<tensor>`, moments `optimizer/<network>/<key>`, `step` [1]. */
  save(): Promise<Record<string, NamedTensor>>
  /** The reverse. @throws RangeError for a missing tensor */
  restore(tensors: Readonly<Record<string, NamedTensor>>): void
  dispose(): void
}

/** Networks fresh from the seed, and updates one after the other; every batch follows from seed and step alone. */
export function startControlRun<C>({ method, config, training, sizes, seed }: ControlOptions<C>): ControlRun {
  const random = createRandom(seed)
  const shapes = method.networks(config, sizes)
  const names = Object.keys(shapes)
  const networks: Record<string, Mlp> = {}
  // A target starts as its source, so both draw by the source's name.
  for (const name of names)
    networks[name] = createMlp(
      shapes[name]!,
      freshMlpWeights(shapes[name]!, random.fork(`network ${sourceOfTarget(name)}`)),
    )
  const stages = method.stages(config, training.steps)
  let step = 0
  let entered = -1
  let optimizers: Record<string, Optimizer> = {}
  let pool: Int32Array | null = null
  let pooled: SegmentSet | null = null

  function renewOptimizers(): void {
    for (const optimizer of Object.values(optimizers)) optimizer.dispose()
    optimizers = Object.fromEntries(
      names
        .filter((name) => !isTarget(name))
        .map((name) => [name, createOptimizer({ ...training, kind: 'adam' }, networks[name]!.variables)]),
    )
  }

  async function minimize(
    at: { readonly learningRate: number; gradNorm: number },
    trained: readonly string[],
    loss: () => LossResult,
  ): Promise<Record<string, number>> {
    const variables = trained.flatMap((name) =>
      Object.entries(networks[name]!.variables).map(([key, variable]) => ({ name, key, variable })),
    )
    const reported: Record<string, tf.Scalar> = {}
    const gradients = gradientsOf(
      variables.map(({ variable }) => variable),
      loss,
      reported,
    )
    for (const name of trained) {
      const own = Object.fromEntries(
        variables.flatMap((one) => (one.name === name ? [[one.key, gradients.get(one.variable.name)!] as const] : [])),
      )
      const norm = await readGlobalNorm(Object.values(own))
      at.gradNorm = Math.max(at.gradNorm, norm)
      if (Number.isFinite(norm)) optimizers[name]!.apply(own, at.learningRate, norm)
    }
    tf.dispose([...gradients.values()])
    const metrics: Record<string, number> = {}
    for (const [name, value] of Object.entries(reported)) {
      metrics[name] = (await value.data<'float32'>())[0]!
      value.dispose()
    }
    return metrics
  }

  return {
    get step() {
      return step
    },
    networks,
    parameterCount: names
      .filter((name) => !isTarget(name))
      .reduce((sum, name) => sum + networks[name]!.parameterCount, 0),
    async update(set, judged) {
      const { index, stage, start } = stageAt(stages, step)
      if (index !== entered) {
        if (stage.continues !== true || Object.keys(optimizers).length === 0) renewOptimizers()
        if (step === start) method.enterStage?.(stage.name, networks)
        entered = index
      }
      if (pooled !== set) {
        pool = method.pool?.(config, set) ?? null
        pooled = set
      }
      const own = random.fork(`step ${step}`)
      const pairing = method.pairing(config, stage.name)
      const { segments, labels } =
        pairing === 'comparison' && judged !== undefined
          ? takePairs(set, judged)
          : drawPairs(set, pairing, pool, training.batchSize, own)
      const batch = segmentBatch(set, segments, labels)
      const at = { learningRate: rateAt(stages, step, training), gradNorm: 0 }
      const dropout = training.dropout > 0 ? { rate: training.dropout, random: own.fork('dropout') } : null
      const metrics = await method.update({
        config,
        stage: stage.name,
        batch,
        networks,
        dropout,
        minimize: (trained, loss) => minimize(at, trained, loss),
      })
      disposeSegmentBatch(batch)
      step += 1
      return { metrics, ...at, stage: stage.name, steps: batch.steps }
    },
    act: (observations, rows) => actWith(networks['policy']!, observations, rows),
    async save() {
      const tensors: Record<string, NamedTensor> = { step: { shape: [1], data: Float32Array.of(step) } }
      for (const name of names) {
        for (const [key, variable] of Object.entries(networks[name]!.variables))
          tensors[`${name}/${key}`] = { shape: variable.shape, data: (await variable.data<'float32'>()).slice() }
        for (const [key, tensor] of Object.entries((await optimizers[name]?.toTensors()) ?? {}))
          tensors[`optimizer/${name}/${key}`] = tensor
      }
      return tensors
    },
    restore(tensors) {
      step = expectTensor(tensors, 'step').data[0]!
      for (const name of names) {
        tf.tidy(() => {
          for (const key of Object.keys(mlpShapes(shapes[name]!)))
            networks[name]!.variables[key]!.assign(
              tf.tensor(expectTensor(tensors, `${name}/${key}`).data, networks[name]!.variables[key]!.shape),
            )
        })
      }
      const { index, stage, start } = stageAt(stages, step)
      // At the border of two stages the next one begins afresh, unless it goes on with what the other had.
      if (step === start && stage.continues !== true) return
      renewOptimizers()
      for (const [name, optimizer] of Object.entries(optimizers))
        optimizer.fromTensors(
          Object.fromEntries(
            Object.keys(optimizer.shapes).map((key) => [key, expectTensor(tensors, `optimizer/${name}/${key}`)]),
          ),
        )
      entered = step === start ? index - 1 : index
    },
    dispose() {
      for (const optimizer of Object.values(optimizers)) optimizer.dispose()
      for (const network of Object.values(networks)) network.dispose()
    },
  }
}

function stageAt(
  stages: readonly Stage[],
  step: number,
): { readonly index: number; readonly stage: Stage; readonly start: number } {
  let start = 0
  for (const [index, stage] of stages.entries()) {
    if (step < start + stage.steps || index === stages.length - 1) return { index, stage, start }
    start += stage.steps
  }
  throw new RangeError('a method has at least one stage')
}

/** The schedule of a stage runs over it and over those that continue it. */
function rateAt(stages: readonly Stage[], step: number, training: ControlTraining): number {
  const { index } = stageAt(stages, step)
  let first = index
  while (stages[first]!.continues === true) first -= 1
  let last = index
  while (stages[last + 1]?.continues === true) last += 1
  const stepsOf = (some: readonly Stage[]): number => some.reduce((sum, { steps }) => sum + steps, 0)
  const { warmsUp = true, rate = 1 } = stages[first]!
  const schedule = {
    ...training,
    steps: stepsOf(stages.slice(first, last + 1)),
    warmupFraction: warmsUp ? training.warmupFraction : 0,
  }
  return rate * learningRateAt(step - stepsOf(stages.slice(0, first)), schedule)
}

/** Kept gradients by variable name; the loss's metrics are added to `reported`, kept too. */
function gradientsOf(
  variables: tf.Variable[],
  loss: () => LossResult,
  reported: Record<string, tf.Scalar>,
): Map<string, tf.Tensor> {
  const gradients = new Map<string, tf.Tensor>()
  // Nothing is returned from the tidy: it would look for tensors in every number of what it is given.
  tf.tidy(() => {
    const { grads } = tf.variableGrads(() => {
      const result = loss()
      for (const [name, value] of Object.entries(result.metrics)) reported[name] = tf.keep(tf.clone(value))
      return result.loss
    }, variables)
    for (const [name, gradient] of Object.entries(grads)) gradients.set(name, tf.keep(gradient))
  })
  return gradients
}

function expectTensor(tensors: Readonly<Record<string, NamedTensor>>, name: string): NamedTensor {
  const tensor = tensors[name]
  if (tensor === undefined) throw new RangeError(`the checkpoint has no tensor ${name}`)
  return tensor
}

/** The policy's actions, dropout off. [row, observation] → [row, action] */
export async function actWith(policy: Mlp, observations: Float32Array, rows: number): Promise<Float32Array> {
  const out = tf.tidy(() => policy.apply(tf.tensor2d(observations, [rows, policy.config.inputs])))
  const values = (await out.data<'float32'>()).slice()
  out.dispose()
  return values
}
