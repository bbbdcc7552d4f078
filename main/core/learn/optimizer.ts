import type { TrainingConfig } from '../../../shared/training-config.ts'
import {
  arrayMoments,
  engineMoments,
  hasKernel,
  OPTIMIZER_KERNELS,
  type OptimizerConfig,
  runKernel,
  SLOT_KERNELS,
  slotMoments,
  tensorMoments,
} from './optimizer-kernels.ts'
import { tf } from './tf.ts'

export { OPTIMIZER_KERNELS, type AdamAttributes, type OptimizerConfig } from './optimizer-kernels.ts'

export type ScheduleConfig = Pick<
  TrainingConfig,
  'steps' | 'learningRate' | 'warmupFraction' | 'schedule' | 'minLearningRateRatio'
>

export type Gradients = Readonly<Record<string, tf.Tensor | Float32Array>>

export interface Optimizer {
  /** Updates taken so far. */
  readonly step: number
  /**
   * Clips, updates every variable that has a gradient, and returns the norm before clipping. Gradients stay the caller's.
   * @param gradNorm of these gradients, where the caller has it already
   */
  apply(
    gradients: Gradients,
    learningRate: number,
    gradNorm?: number,
  ): { readonly gradNorm: number; readonly clipped: boolean }
  /** Everything needed to go on exactly: `m/<name>`, `v/<name>` and `step` [1]. */
  readonly shapes: Readonly<Record<string, readonly number[]>>
  /** A copy of one of them. @throws RangeError for an unknown name */
  read(name: string): Promise<Float32Array>
  /** Copies of all. */
  toTensors(): Promise<Record<string, { readonly shape: readonly number[]; readonly data: Float32Array }>>
  /** The reverse; throws RangeError when a tensor is missing or has another size. */
  fromTensors(tensors: Readonly<Record<string, { readonly data: Float32Array }>>): void
  /** Frees what it keeps in the engine; it is of no use after that. */
  dispose(): void
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

/**
 * globalNorm without waiting inside the engine: the way to read a number from a graphics card. Without a kernel for it,
 * the sum is the engine's own, in single precision, unless the engine is the reference.
 */
export async function readGlobalNorm(gradients: readonly tf.Tensor[]): Promise<number> {
  if (gradients.length === 0 || tf.getBackend() === 'cpu') return globalNorm(gradients)
  const norm = hasKernel(OPTIMIZER_KERNELS.globalNorm)
    ? normKernel(gradients)
    : tf.tidy(() => tf.sqrt(tf.addN(gradients.map((gradient) => tf.sum(tf.square(gradient))))))
  const [high, low = 0] = await norm.data<'float32'>()
  norm.dispose()
  return high! + low
}

/** √ Σ g² over all gradients, summed in double precision. */
export function globalNorm(gradients: Iterable<Float32Array | tf.Tensor>): number {
  const all = [...gradients]
  const tensors = all.filter((gradient): gradient is tf.Tensor => !(gradient instanceof Float32Array))
  if (tensors.length === all.length && all.length > 0 && hasKernel(OPTIMIZER_KERNELS.globalNorm)) {
    const norm = normKernel(tensors)
    const [high, low] = norm.dataSync<'float32'>()
    norm.dispose()
    return high! + low!
  }
  let sum = 0
  for (const gradient of all) {
    const values = arrayOf(gradient)
    for (let index = 0; index < values.length; index += 1) sum += values[index]! * values[index]!
  }
  return Math.sqrt(sum)
}

/** [2], whose sum it is: a double's precision of two singles, where the engine has it. */
function normKernel(tensors: readonly tf.Tensor[]): tf.Tensor {
  return runKernel(OPTIMIZER_KERNELS.globalNorm, Object.fromEntries(tensors.entries()))[0]!
}

function arrayOf(gradient: tf.Tensor | Float32Array): Float32Array {
  return gradient instanceof Float32Array ? gradient : gradient.dataSync<'float32'>()
}

/** min(1, limit / (norm + 10⁻⁶)); 1 when the limit is 0. */
export function clipScale(norm: number, limit: number): number {
  return limit > 0 ? Math.min(1, limit / (norm + 1e-6)) : 1
}

/**
 * AdamW (Loshchilov and Hutter, ICLR 2019) or SGD with momentum over named variables. Where the engine has a kernel for
 * it, AdamW is one pass over memory in the engine; the reference engine computes on plain arrays, and every other engine
 * by its own operations. Weights are replaced, never written in place, since an engine may still hold the old ones for a
 * gradient.
 */
export function createOptimizer(config: OptimizerConfig, variables: Readonly<Record<string, tf.Variable>>): Optimizer {
  const names = Object.keys(variables)
  const moments = (
    tf.getBackend() === 'cpu'
      ? arrayMoments
      : config.kind === 'sgd'
        ? tensorMoments
        : hasKernel(OPTIMIZER_KERNELS.adamW)
          ? engineMoments
          : hasKernel(SLOT_KERNELS.adamW)
            ? slotMoments
            : tensorMoments
  )(config, variables)
  const shapes = { step: [1], ...Object.fromEntries(moments.keys.map((key) => [key, variables[key.slice(2)]!.shape])) }
  let step = 0

  /** 1 − η λ, or 1 where nothing decays. */
  const keepOf = (variable: tf.Variable, learningRate: number): number =>
    config.decay === 'all' || variable.rank >= 2 ? 1 - learningRate * config.weightDecay : 1

  return {
    get step() {
      return step
    },
    apply(gradients, learningRate, known) {
      const given = names.flatMap((name) => (gradients[name] === undefined ? [] : [[name, gradients[name]] as const]))
      for (const [name, gradient] of given) {
        const size = gradient instanceof Float32Array ? gradient.length : gradient.size
        if (size !== variables[name]!.size)
          throw new RangeError(`the gradient of ${name} has ${size} values, the variable ${variables[name]!.size}`)
      }
      const gradNorm = known ?? globalNorm(given.map(([, gradient]) => gradient))
      const scale = clipScale(gradNorm, config.clipNorm)
      step += 1
      moments.update(
        given.map(([name, gradient]) => ({ name, gradient, keep: keepOf(variables[name]!, learningRate) })),
        { scale, learningRate, step },
      )
      return { gradNorm, clipped: scale < 1 }
    },
    shapes,
    read: async (name) => (name === 'step' ? Float32Array.of(step) : moments.read(name)),
    async toTensors() {
      const tensors: Record<string, { shape: readonly number[]; data: Float32Array }> = {}
      for (const [name, shape] of Object.entries(shapes))
        tensors[name] = { shape, data: name === 'step' ? Float32Array.of(step) : await moments.read(name) }
      return tensors
    },
    fromTensors(tensors) {
      for (const key of moments.keys) moments.write(key, expectTensor(tensors, key, variables[key.slice(2)]!.size))
      step = expectTensor(tensors, 'step', 1)[0]!
    },
    dispose: () => moments.dispose(),
  }
}

function expectTensor(
  tensors: Readonly<Record<string, { readonly data: Float32Array }>>,
  name: string,
  size: number,
): Float32Array {
  const data = tensors[name]?.data
  if (data === undefined) throw new RangeError(`the optimizer state has no tensor ${name}`)
  if (data.length !== size)
    throw new RangeError(`the optimizer state's ${name} has ${data.length} values, expected ${size}`)
  return data
}
