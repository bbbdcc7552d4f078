import { tf } from './tf.ts'

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

/** Kernels an engine may register, so that weights, gradients and moments stay where they are. */
export const OPTIMIZER_KERNELS = {
  /** √ Σ x² over all inputs, summed in double precision → [2], whose sum it is */
  globalNorm: 'PairlabGlobalNorm',
  /** Inputs w/i, g/i, m/i, v/i; attributes `AdamAttributes`. Writes m and v in place → the new weights, in order */
  adamW: 'PairlabAdamW',
} as const

/**
 * Kernels of an engine whose own training operation writes into places it keeps: a slot holds one tensor and is named by a
 * small one.
 */
export const SLOT_KERNELS = {
  /** value → a slot that holds a copy */
  open: 'PairlabSlotOpen',
  /** slot → what it holds */
  read: 'PairlabSlotRead',
  /** Frees what it holds. */
  close: 'PairlabSlotClose',
  /** Inputs w/i, g/i and the slots m/i, v/i, x/i; attributes `AdamAttributes`. x/i is room for the work → the new weights, in order */
  adamW: 'PairlabSlotAdamW',
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

export function hasKernel(name: string): boolean {
  return tf.getKernel(name, tf.getBackend()) != null
}

export function runKernel(
  name: string,
  inputs: Readonly<Record<string, tf.Tensor>>,
  attributes: object = {},
): tf.Tensor[] {
  // The kernel's own file knows its attributes; tf's type for them lists only JSON-like values.
  const result = tf.engine().runKernel(name, inputs as never, attributes as never) as tf.Tensor | tf.Tensor[]
  return Array.isArray(result) ? result : [result]
}

export interface GivenGradient {
  readonly name: string
  readonly gradient: tf.Tensor | Float32Array
  readonly keep: number
}

export interface UpdateSize {
  readonly scale: number
  readonly learningRate: number
  /** Number of this update, from 1. */
  readonly step: number
}

/** The optimizer's memory of the gradients, under `m/<name>` and `v/<name>`, and the update that uses it. */
export interface Moments {
  readonly keys: readonly string[]
  update(gradients: readonly GivenGradient[], size: UpdateSize): void
  /** → a copy */
  read(key: string): Promise<Float32Array>
  write(key: string, data: Float32Array): void
  dispose(): void
}

/** Moments in the engine, updated by its own kernel. */
export function engineMoments(config: OptimizerConfig, variables: Readonly<Record<string, tf.Variable>>): Moments {
  const keys = ['m', 'v'].flatMap((prefix) => Object.keys(variables).map((name) => `${prefix}/${name}`))
  const held = Object.fromEntries(
    keys.map((key) => [key, tf.tidy(() => tf.keep(tf.zeros([variables[key.slice(2)]!.size])))]),
  )
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
      const attributes: AdamAttributes = {
        count: gradients.length,
        scale,
        keep: gradients.map(({ keep }) => keep),
        beta1,
        beta2,
        epsilon,
        ...corrections(config, learningRate, step),
      }
      const weights = gradients.length === 0 ? [] : runKernel(OPTIMIZER_KERNELS.adamW, inputs, attributes)
      gradients.forEach(({ name }, index) => variables[name]!.assign(weights[index]!))
      tf.dispose([...weights, ...made])
    },
    read: (key) => readTensor(held, key),
    write(key, data) {
      held[key]!.dispose()
      held[key] = tf.tidy(() => tf.keep(tf.tensor1d(data.slice())))
    },
    dispose: () => tf.dispose(held),
  }
}

/** Moments in slots of the engine, updated by its own training operation. */
export function slotMoments(config: OptimizerConfig, variables: Readonly<Record<string, tf.Variable>>): Moments {
  const open = (value: tf.Tensor): tf.Tensor => tf.keep(runKernel(SLOT_KERNELS.open, { value })[0]!)
  const close = (slot: tf.Tensor): void => {
    runKernel(SLOT_KERNELS.close, { slot })
    slot.dispose()
  }
  const keys = ['m', 'v'].flatMap((prefix) => Object.keys(variables).map((name) => `${prefix}/${name}`))
  const all = [...keys, ...Object.keys(variables).map((name) => `x/${name}`)]
  const held = Object.fromEntries(
    all.map((key) => [key, tf.tidy(() => open(tf.zeros(variables[key.slice(2)]!.shape)))]),
  )
  return {
    keys,
    update(gradients, { scale, learningRate, step }) {
      if (gradients.length === 0) return
      const { beta1, beta2, epsilon } = config
      const attributes: AdamAttributes = {
        count: gradients.length,
        scale,
        keep: gradients.map(({ keep }) => keep),
        beta1,
        beta2,
        epsilon,
        ...corrections(config, learningRate, step),
      }
      tf.tidy(() => {
        const inputs: Record<string, tf.Tensor> = {}
        gradients.forEach(({ name, gradient }, index) => {
          inputs[`g/${index}`] =
            gradient instanceof Float32Array ? tf.tensor(gradient, variables[name]!.shape) : gradient
          inputs[`w/${index}`] = variables[name]!
          for (const part of ['m', 'v', 'x']) inputs[`${part}/${index}`] = held[`${part}/${name}`]!
        })
        const weights = runKernel(SLOT_KERNELS.adamW, inputs, attributes)
        gradients.forEach(({ name }, index) => variables[name]!.assign(weights[index]!))
      })
    },
    async read(key) {
      const value = runKernel(SLOT_KERNELS.read, { slot: expectKey(held, key) })[0]!
      const numbers = (await value.data<'float32'>()).slice()
      value.dispose()
      return numbers
    },
    write(key, data) {
      close(expectKey(held, key))
      held[key] = tf.tidy(() => open(tf.tensor(data.slice(), variables[key.slice(2)]!.shape)))
    },
    dispose() {
      for (const slot of Object.values(held)) close(slot)
    },
  }
}

/** Moments and arithmetic in plain arrays, in double precision for each number. */
export function arrayMoments(config: OptimizerConfig, variables: Readonly<Record<string, tf.Variable>>): Moments {
  const keys = momentKeys(config, variables)
  const held = Object.fromEntries(keys.map((key) => [key, new Float32Array(variables[key.slice(2)]!.size)]))
  return {
    keys,
    update(gradients, { scale, learningRate, step }) {
      for (const { name, gradient, keep } of gradients) {
        const variable = variables[name]!
        const weights = variable.dataSync<'float32'>()
        const next =
          config.kind === 'sgd'
            ? sgdUpdate(weights, arrayOf(gradient), held[`m/${name}`]!, {
                scale,
                learningRate,
                keep,
                momentum: config.momentum ?? 0,
              })
            : adamUpdate(weights, arrayOf(gradient), held[`m/${name}`]!, held[`v/${name}`]!, {
                scale,
                keep,
                ...corrections(config, learningRate, step),
                ...config,
              })
        const fresh = tf.tensor(next, variable.shape)
        variable.assign(fresh)
        fresh.dispose()
      }
    },
    async read(key) {
      return expectKey(held, key).slice()
    },
    write: (key, data) => held[key]!.set(data),
    dispose: () => undefined,
  }
}

/** Moments in the engine, updated by plain operations. Written for engines that a number can be read from only later. */
export function tensorMoments(config: OptimizerConfig, variables: Readonly<Record<string, tf.Variable>>): Moments {
  const keys = momentKeys(config, variables)
  const held = Object.fromEntries(
    keys.map((key) => [key, tf.tidy(() => tf.keep(tf.zeros(variables[key.slice(2)]!.shape)))]),
  )
  const { beta1, beta2, epsilon, momentum = 0 } = config
  const replace = (key: string, next: tf.Tensor): void => {
    held[key]!.dispose()
    held[key] = tf.keep(next)
  }
  /** What a variable loses, its moments renewed. */
  const change = (name: string, g: tf.Tensor, { learningRate, step }: UpdateSize): tf.Tensor => {
    if (config.kind === 'sgd') {
      const speed = tf.add(tf.mul(held[`m/${name}`]!, momentum), g)
      replace(`m/${name}`, speed)
      return tf.mul(speed, learningRate)
    }
    const { stepSize, correction2 } = corrections(config, learningRate, step)
    const mean = tf.add(tf.mul(held[`m/${name}`]!, beta1), tf.mul(g, 1 - beta1))
    const square = tf.add(tf.mul(held[`v/${name}`]!, beta2), tf.mul(tf.square(g), 1 - beta2))
    replace(`m/${name}`, mean)
    replace(`v/${name}`, square)
    return tf.div(tf.mul(mean, stepSize), tf.add(tf.mul(tf.sqrt(square), correction2), epsilon))
  }
  return {
    keys,
    update(gradients, size) {
      for (const { name, gradient, keep } of gradients) {
        const variable = variables[name]!
        tf.tidy(() => {
          const given = gradient instanceof Float32Array ? tf.tensor(gradient, variable.shape) : gradient
          const less = change(name, size.scale === 1 ? given : tf.mul(given, size.scale), size)
          variable.assign(tf.sub(keep === 1 ? variable : tf.mul(variable, keep), less))
        })
      }
    },
    read: (key) => readTensor(held, key),
    write: (key, data) => replace(key, tf.tensor(data.slice(), variables[key.slice(2)]!.shape)),
    dispose: () => tf.dispose(held),
  }
}

function momentKeys({ kind }: OptimizerConfig, variables: Readonly<Record<string, tf.Variable>>): string[] {
  return (kind === 'sgd' ? ['m'] : ['m', 'v']).flatMap((prefix) =>
    Object.keys(variables).map((name) => `${prefix}/${name}`),
  )
}

async function readTensor(held: Readonly<Record<string, tf.Tensor>>, key: string): Promise<Float32Array> {
  const values = await expectKey(held, key).data<'float32'>()
  return values.slice()
}

function expectKey<T>(held: Readonly<Record<string, T>>, key: string): T {
  const value = held[key]
  if (value === undefined) throw new RangeError(`the optimizer state has no tensor ${key}`)
  return value
}

function arrayOf(gradient: tf.Tensor | Float32Array): Float32Array {
  return gradient instanceof Float32Array ? gradient : gradient.dataSync<'float32'>()
}

function corrections(
  { beta1, beta2 }: OptimizerConfig,
  learningRate: number,
  step: number,
): Pick<AdamAttributes, 'stepSize' | 'correction2'> {
  return { stepSize: learningRate / (1 - beta1 ** step), correction2: 1 / Math.sqrt(1 - beta2 ** step) }
}

function adamUpdate(
  weights: Float32Array,
  gradient: Float32Array,
  m: Float32Array,
  v: Float32Array,
  update: Omit<AdamAttributes, 'count' | 'keep'> & { readonly keep: number },
): Float32Array {
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

function sgdUpdate(
  weights: Float32Array,
  gradient: Float32Array,
  velocity: Float32Array,
  update: SgdUpdate,
): Float32Array {
  const next = new Float32Array(weights.length)
  for (let index = 0; index < next.length; index += 1) {
    const speed = update.momentum * velocity[index]! + gradient[index]! * update.scale
    velocity[index] = speed
    next[index] = weights[index]! * update.keep - update.learningRate * speed
  }
  return next
}
