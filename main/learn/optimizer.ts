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

/** Kernels an engine may register, so that weights, gradients and moments stay where they are. */
export const OPTIMIZER_KERNELS = {
  /** √ Σ x² over all inputs, summed in double precision → [2], whose sum it is */
  globalNorm: 'PairlabGlobalNorm',
  /** Inputs w/i, g/i, m/i, v/i; attributes `AdamAttributes`. Writes m and v in place → the new weights, in order */
  adamW: 'PairlabAdamW',
} as const

export interface AdamAttributes {
  readonly count: number
  /** Of each gradient. */
  readonly scale: number
  /** Share of a variable's weights that decay leaves [count] */
  readonly keep: readonly number[]
  readonly beta1: number
  readonly beta2: number
  /** learningRate / (1 − β₁ᵗ) */
  readonly stepSize: number
  /** 1 / √(1 − β₂ᵗ) */
  readonly correction2: number
  readonly epsilon: number
}

export interface Optimizer {
  /** Updates taken so far. */
  readonly step: number
  /**
   * Clips, updates every variable that has a gradient, and returns the norm before clipping. Gradients stay the caller's.
   * @param gradNorm of these gradients, where the caller has it already
   */
  apply(gradients: Gradients, learningRate: number, gradNorm?: number): { readonly gradNorm: number; readonly clipped: boolean }
  /** Everything needed to go on exactly: `m/<name>`, `v/<name>` and `step` [1]. The arrays are copies. */
  toTensors(): Record<string, { readonly shape: readonly number[]; readonly data: Float32Array }>
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

/** √ Σ g² over all gradients, summed in double precision. */
export function globalNorm(gradients: Iterable<Float32Array | tf.Tensor>): number {
  const all = [...gradients]
  const tensors = all.filter((gradient): gradient is tf.Tensor => !(gradient instanceof Float32Array))
  if (tensors.length === all.length && all.length > 0 && hasKernel(OPTIMIZER_KERNELS.globalNorm)) {
    const [norm] = runKernel(OPTIMIZER_KERNELS.globalNorm, Object.fromEntries(tensors.entries()))
    const [high, low] = norm!.dataSync<'float32'>()
    norm!.dispose()
    return high! + low!
  }
  let sum = 0
  for (const gradient of all) {
    const values = arrayOf(gradient)
    for (let index = 0; index < values.length; index += 1) sum += values[index]! * values[index]!
  }
  return Math.sqrt(sum)
}

function arrayOf(gradient: tf.Tensor | Float32Array): Float32Array {
  return gradient instanceof Float32Array ? gradient : gradient.dataSync<'float32'>()
}

const hasKernel = (name: string): boolean => tf.getKernel(name, tf.getBackend()) != null

function runKernel(name: string, inputs: Readonly<Record<string, tf.Tensor>>, attributes: object = {}): tf.Tensor[] {
  // The kernel's own file knows its attributes; tf's type for them lists only JSON-like values.
  const result = tf.engine().runKernel(name, inputs as never, attributes as never) as tf.Tensor | tf.Tensor[]
  return Array.isArray(result) ? result : [result]
}

/** min(1, limit / (norm + 10⁻⁶)); 1 when the limit is 0. */
export function clipScale(norm: number, limit: number): number {
  return limit > 0 ? Math.min(1, limit / (norm + 1e-6)) : 1
}

/**
 * AdamW (Loshchilov and Hutter, ICLR 2019) or SGD with momentum over named variables. Where the engine has a kernel for
 * it, AdamW is one pass over memory in the engine; elsewhere the arithmetic runs on plain arrays. Weights are replaced,
 * never written in place, since an engine may still hold the old ones for a gradient.
 */
export function createOptimizer(config: OptimizerConfig, variables: Readonly<Record<string, tf.Variable>>): Optimizer {
  const names = Object.keys(variables)
  const moments = config.kind !== 'sgd' && hasKernel(OPTIMIZER_KERNELS.adamW) ? engineMoments(config, variables) : arrayMoments(config, variables)
  let step = 0

  /** 1 − η λ, or 1 where nothing decays. */
  const keepOf = (variable: tf.Variable, learningRate: number): number => (config.decay === 'all' || variable.rank >= 2 ? 1 - learningRate * config.weightDecay : 1)

  return {
    get step() {
      return step
    },
    apply(gradients, learningRate, known) {
      const given = names.flatMap((name) => (gradients[name] === undefined ? [] : [[name, gradients[name]] as const]))
      for (const [name, gradient] of given) {
        const size = gradient instanceof Float32Array ? gradient.length : gradient.size
        if (size !== variables[name]!.size) throw new RangeError(`the gradient of ${name} has ${size} values, the variable ${variables[name]!.size}`)
      }
      const gradNorm = known ?? globalNorm(given.map(([, gradient]) => gradient))
      const scale = clipScale(gradNorm, config.clipNorm)
      step += 1
      moments.update(given.map(([name, gradient]) => ({ name, gradient, keep: keepOf(variables[name]!, learningRate) })), { scale, learningRate, step })
      return { gradNorm, clipped: scale < 1 }
    },
    toTensors() {
      const tensors: Record<string, { shape: readonly number[]; data: Float32Array }> = { step: { shape: [1], data: Float32Array.of(step) } }
      for (const key of moments.keys) tensors[key] = { shape: variables[key.slice(2)]!.shape, data: moments.read(key) }
      return tensors
    },
    fromTensors(tensors) {
      for (const key of moments.keys) moments.write(key, expectTensor(tensors, key, variables[key.slice(2)]!.size))
      step = expectTensor(tensors, 'step', 1)[0]!
    },
    dispose: () => moments.dispose(),
  }
}

interface GivenGradient {
  readonly name: string
  readonly gradient: tf.Tensor | Float32Array
  readonly keep: number
}

interface UpdateSize {
  readonly scale: number
  readonly learningRate: number
  /** Number of this update, from 1. */
  readonly step: number
}

/** The optimizer's memory of the gradients, under `m/<name>` and `v/<name>`, and the update that uses it. */
interface Moments {
  readonly keys: readonly string[]
  update(gradients: readonly GivenGradient[], size: UpdateSize): void
  /** → a copy */
  read(key: string): Float32Array
  write(key: string, data: Float32Array): void
  dispose(): void
}

function engineMoments(config: OptimizerConfig, variables: Readonly<Record<string, tf.Variable>>): Moments {
  const keys = ['m', 'v'].flatMap((prefix) => Object.keys(variables).map((name) => `${prefix}/${name}`))
  const held = Object.fromEntries(keys.map((key) => [key, tf.tidy(() => tf.keep(tf.zeros([variables[key.slice(2)]!.size])))]))
  return {
    keys,
    update(gradients, { scale, learningRate, step }) {
      const inputs: Record<string, tf.Tensor> = {}
      const made: tf.Tensor[] = []
      gradients.forEach(({ name, gradient }, index) => {
        if (gradient instanceof Float32Array) made.push((inputs[`g/${index}`] = tf.tensor1d(gradient)))
        else inputs[`g/${index}`] = gradient
        inputs[`w/${index}`] = variables[name]!
        inputs[`m/${index}`] = held[`m/${name}`]!
        inputs[`v/${index}`] = held[`v/${name}`]!
      })
      const { beta1, beta2, epsilon } = config
      const attributes: AdamAttributes = { count: gradients.length, scale, keep: gradients.map(({ keep }) => keep), beta1, beta2, epsilon, ...corrections(config, learningRate, step) }
      const weights = gradients.length === 0 ? [] : runKernel(OPTIMIZER_KERNELS.adamW, inputs, attributes)
      gradients.forEach(({ name }, index) => variables[name]!.assign(weights[index]!))
      tf.dispose([...weights, ...made])
    },
    read: (key) => held[key]!.dataSync<'float32'>().slice(),
    write(key, data) {
      held[key]!.dispose()
      held[key] = tf.tidy(() => tf.keep(tf.tensor1d(data.slice())))
    },
    dispose: () => tf.dispose(held),
  }
}

function arrayMoments(config: OptimizerConfig, variables: Readonly<Record<string, tf.Variable>>): Moments {
  const prefixes = config.kind === 'sgd' ? ['m'] : ['m', 'v']
  const keys = prefixes.flatMap((prefix) => Object.keys(variables).map((name) => `${prefix}/${name}`))
  const held = Object.fromEntries(keys.map((key) => [key, new Float32Array(variables[key.slice(2)]!.size)]))
  return {
    keys,
    update(gradients, { scale, learningRate, step }) {
      for (const { name, gradient, keep } of gradients) {
        const variable = variables[name]!
        const weights = variable.dataSync<'float32'>()
        const next = config.kind === 'sgd'
          ? sgdUpdate(weights, arrayOf(gradient), held[`m/${name}`]!, { scale, learningRate, keep, momentum: config.momentum ?? 0 })
          : adamUpdate(weights, arrayOf(gradient), held[`m/${name}`]!, held[`v/${name}`]!, { scale, keep, ...corrections(config, learningRate, step), ...config })
        const fresh = tf.tensor(next, variable.shape)
        variable.assign(fresh)
        fresh.dispose()
      }
    },
    read: (key) => held[key]!.slice(),
    write: (key, data) => held[key]!.set(data),
    dispose: () => undefined,
  }
}

function corrections({ beta1, beta2 }: OptimizerConfig, learningRate: number, step: number): Pick<AdamAttributes, 'stepSize' | 'correction2'> {
  return { stepSize: learningRate / (1 - beta1 ** step), correction2: 1 / Math.sqrt(1 - beta2 ** step) }
}

function adamUpdate(weights: Float32Array, gradient: Float32Array, m: Float32Array, v: Float32Array, update: Omit<AdamAttributes, 'count' | 'keep'> & { readonly keep: number }): Float32Array {
  const { beta1, beta2, epsilon, scale, keep, stepSize, correction2 } = update
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

interface SgdUpdate {
  readonly scale: number
  readonly learningRate: number
  /** Share of the weights that decay leaves. */
  readonly keep: number
  readonly momentum: number
}

function sgdUpdate(weights: Float32Array, gradient: Float32Array, velocity: Float32Array, update: SgdUpdate): Float32Array {
  const next = new Float32Array(weights.length)
  for (let index = 0; index < next.length; index += 1) {
    const speed = update.momentum * velocity[index]! + gradient[index]! * update.scale
    velocity[index] = speed
    next[index] = weights[index]! * update.keep - update.learningRate * speed
  }
  return next
}

function expectTensor(tensors: Readonly<Record<string, { readonly data: Float32Array }>>, name: string, size: number): Float32Array {
  const data = tensors[name]?.data
  if (data === undefined) throw new RangeError(`the optimizer state has no tensor ${name}`)
  if (data.length !== size) throw new RangeError(`the optimizer state's ${name} has ${data.length} values, expected ${size}`)
  return data
}
