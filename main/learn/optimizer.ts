import type { TrainingConfig } from '../../shared/run-spec.ts'
import { tf } from './tf.ts'

export type ScheduleConfig = Pick<TrainingConfig, 'steps' | 'learningRate' | 'warmupFraction' | 'schedule' | 'minLearningRateRatio'>

export interface OptimizerConfig {
  readonly kind?: 'adam' | 'sgd'
  readonly beta1: number
  readonly beta2: number
  readonly epsilon: number
  /** Decoupled (AdamW): the weights shrink by learningRate · weightDecay, apart from the gradient. */
  readonly weightDecay: number
  /** Which variables decay; `matrices` leaves out norms and biases (rank below 2). */
  readonly decay?: 'matrices' | 'all'
  /** Only for `sgd`. */
  readonly momentum?: number
  /** Largest global gradient norm; 0 turns clipping off. */
  readonly clipNorm: number
}

export type Gradients = Readonly<Record<string, tf.Tensor | Float32Array>>

export interface Optimizer {
  /** Updates taken so far. */
  readonly step: number
  /** Clips, updates every variable that has a gradient, and returns the norm before clipping. Gradients stay the caller's. */
  apply(gradients: Gradients, learningRate: number): { readonly gradNorm: number; readonly clipped: boolean }
  /** Everything needed to go on exactly: `m/<name>`, `v/<name>` and `step` [1]. The arrays are copies. */
  toTensors(): Record<string, { readonly shape: readonly number[]; readonly data: Float32Array }>
  /** The reverse; throws RangeError when a tensor is missing or has another size. */
  fromTensors(tensors: Readonly<Record<string, { readonly data: Float32Array }>>): void
}

/**
 * Learning rate of update `step`, counted from 0: a line from 0 over the warm-up, then the schedule down to
 * `minLearningRateRatio` of the peak. Warm-up steps are rounded up, so that any share above 0 gives at least one.
 */
export function learningRateAt(step: number, config: ScheduleConfig): number {
  const warmupSteps = Math.ceil(config.steps * config.warmupFraction - 1e-9)
  if (step < warmupSteps) return (config.learningRate * step) / warmupSteps
  const progress = Math.min(1, (step - warmupSteps) / Math.max(1, config.steps - warmupSteps))
  const floor = config.minLearningRateRatio
  return config.learningRate * (floor + (1 - floor) * decayAt(progress, config.schedule))
}

function decayAt(progress: number, schedule: ScheduleConfig['schedule']): number {
  if (schedule === 'constant') return 1
  if (schedule === 'linear') return 1 - progress
  return 0.5 * (1 + Math.cos(Math.PI * progress))
}

/** √ Σ g² over all gradients, summed in double precision. */
export function globalNorm(gradients: Iterable<Float32Array>): number {
  let sum = 0
  for (const gradient of gradients) for (let index = 0; index < gradient.length; index += 1) sum += gradient[index]! * gradient[index]!
  return Math.sqrt(sum)
}

/** min(1, limit / (norm + 10⁻⁶)); 1 when the limit is 0. */
export function clipScale(norm: number, limit: number): number {
  return limit > 0 ? Math.min(1, limit / (norm + 1e-6)) : 1
}

/**
 * AdamW (Loshchilov and Hutter, ICLR 2019) or SGD with momentum over named variables. The arithmetic runs on plain
 * arrays: one pass over memory where a chain of tensor operations makes a dozen, and the same on every engine, bit
 * for bit. Weights are replaced, never written in place, since an engine may still hold the old ones for a gradient.
 */
export function createOptimizer(config: OptimizerConfig, variables: Readonly<Record<string, tf.Variable>>): Optimizer {
  const names = Object.keys(variables)
  const moment1 = zerosFor(variables)
  const moment2 = config.kind === 'sgd' ? {} : zerosFor(variables)
  let step = 0

  function updateOne(name: string, gradient: Float32Array, scale: number, learningRate: number): void {
    const variable = variables[name]!
    const weights = variable.dataSync<'float32'>()
    if (gradient.length !== weights.length) throw new RangeError(`the gradient of ${name} has ${gradient.length} values, the variable ${weights.length}`)
    const decays = config.decay === 'all' || variable.rank >= 2
    const keep = decays ? 1 - learningRate * config.weightDecay : 1
    const next = config.kind === 'sgd'
      ? sgdUpdate(weights, gradient, moment1[name]!, { scale, learningRate, keep, momentum: config.momentum ?? 0 })
      : adamUpdate(weights, gradient, moment1[name]!, moment2[name]!, { scale, learningRate, keep, step, ...config })
    const fresh = tf.tensor(next, variable.shape)
    variable.assign(fresh)
    fresh.dispose()
  }

  return {
    get step() {
      return step
    },
    apply(gradients, learningRate) {
      const arrays = names.flatMap((name) => {
        const gradient = gradients[name]
        if (gradient === undefined) return []
        return [[name, gradient instanceof Float32Array ? gradient : gradient.dataSync<'float32'>()] as const]
      })
      const gradNorm = globalNorm(arrays.map(([, array]) => array))
      const scale = clipScale(gradNorm, config.clipNorm)
      step += 1
      for (const [name, array] of arrays) updateOne(name, array, scale, learningRate)
      return { gradNorm, clipped: scale < 1 }
    },
    toTensors() {
      const tensors: Record<string, { shape: readonly number[]; data: Float32Array }> = { step: { shape: [1], data: Float32Array.of(step) } }
      for (const [prefix, moments] of [['m', moment1], ['v', moment2]] as const) {
        for (const name of Object.keys(moments)) tensors[`${prefix}/${name}`] = { shape: variables[name]!.shape, data: moments[name]!.slice() }
      }
      return tensors
    },
    fromTensors(tensors) {
      for (const [prefix, moments] of [['m', moment1], ['v', moment2]] as const) {
        for (const name of Object.keys(moments)) moments[name]!.set(expectTensor(tensors, `${prefix}/${name}`, moments[name]!.length))
      }
      step = expectTensor(tensors, 'step', 1)[0]!
    },
  }
}

interface Update {
  readonly scale: number
  readonly learningRate: number
  /** Share of the weights that decay leaves. */
  readonly keep: number
}

function adamUpdate(weights: Float32Array, gradient: Float32Array, m: Float32Array, v: Float32Array, update: Update & OptimizerConfig & { readonly step: number }): Float32Array {
  const { beta1, beta2, epsilon, scale, keep } = update
  const stepSize = update.learningRate / (1 - beta1 ** update.step)
  const correction2 = 1 / Math.sqrt(1 - beta2 ** update.step)
  const next = new Float32Array(weights.length)
  for (let index = 0; index < next.length; index += 1) {
    const g = gradient[index]! * scale
    const mean = beta1 * m[index]! + (1 - beta1) * g
    const square = beta2 * v[index]! + (1 - beta2) * g * g
    m[index] = mean
    v[index] = square
    next[index] = weights[index]! * keep - (stepSize * mean) / (Math.sqrt(square) * correction2 + epsilon)
  }
  return next
}

function sgdUpdate(weights: Float32Array, gradient: Float32Array, velocity: Float32Array, update: Update & { readonly momentum: number }): Float32Array {
  const next = new Float32Array(weights.length)
  for (let index = 0; index < next.length; index += 1) {
    const speed = update.momentum * velocity[index]! + gradient[index]! * update.scale
    velocity[index] = speed
    next[index] = weights[index]! * update.keep - update.learningRate * speed
  }
  return next
}

function zerosFor(variables: Readonly<Record<string, tf.Variable>>): Record<string, Float32Array> {
  return Object.fromEntries(Object.entries(variables).map(([name, variable]) => [name, new Float32Array(variable.size)]))
}

function expectTensor(tensors: Readonly<Record<string, { readonly data: Float32Array }>>, name: string, size: number): Float32Array {
  const data = tensors[name]?.data
  if (data === undefined) throw new RangeError(`the optimizer state has no tensor ${name}`)
  if (data.length !== size) throw new RangeError(`the optimizer state's ${name} has ${data.length} values, expected ${size}`)
  return data
}
