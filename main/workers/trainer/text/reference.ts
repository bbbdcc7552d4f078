import { AppError } from '../../../../shared/errors.ts'
import type { Decoder, DecoderOptions } from '../../../core/learn/models/decoder.ts'
import { assignFrom } from '../../../core/learn/models/assign.ts'
import type { TensorSource } from '../../../core/learn/models/parameters.ts'
import { tf } from '../../../core/learn/tf.ts'
import type { TensorToWrite } from '../../../core/models/write.ts'
import { buildDecoder, type ModelStart } from '../model.ts'

/** The policy that the one in training is compared with: that which training began with, or one that follows it. */
export interface Reference {
  /** Tells the weights that training began with from all others. */
  readonly hash: string
  /** Lends it for as long as the work takes; the policy in training is not used meanwhile. */
  use<T>(work: (reference: Decoder) => Promise<T>): Promise<T>
  /** The same of the policy that training began with. */
  useFirst<T>(work: (first: Decoder) => Promise<T>): Promise<T>
  /** From now on it stays in memory: for work at every step, for which reading it anew would take too long. */
  keep(): void
  /** Null where it stays where training began. */
  readonly moving: Moving | null
}

/** A reference that follows the policy (Gorbatovski et al. 2024, arXiv 2404.09656). Its weights are state of the run. */
export interface Moving {
  /** (1 − α) of itself and α of the policy: of each weight that trains, of adapters of each matrix. */
  follow(): void
  /** Goes to where a checkpoint of the run has it. @throws AppError `spec-invalid` for another model's */
  restore(stored: TensorSource): void
  /** What it has of its own. */
  readonly tensors: Readonly<Record<string, TensorToWrite>>
}

export interface MovingOptions {
  /** α, above 0; 1 copies the policy. */
  readonly mixup: number
  /** Where the run goes on: the reference of its checkpoint; null at the first step. */
  readonly stored: TensorSource | null
}

/**
 * Beside adapters the frozen model is the reference, and takes no memory of its own; else it is read when it is wanted.
 * One that follows the policy is kept: whole, or, beside adapters, as adapters of its own that take their place.
 * @param options of the policy   @param moving null: it stays where training began
 */
export function openReference(
  start: ModelStart,
  decoder: Decoder,
  options: DecoderOptions,
  moving: MovingOptions | null = null,
): Reference {
  const hasAdapters = (options.lora ?? null) !== null
  const { frozenStorage = 'float32' } = options
  // Kept, and rounded, as the policy's frozen matrices are: at the first step the two are the same model.
  const kind = frozenStorage === 'float32' ? {} : options
  const rounded = frozenStorage !== 'float32' && frozenStorage !== 'stored'
  const hash = rounded ? `${start.hash}-${frozenStorage}` : start.hash
  const useFirst: Reference['useFirst'] = async (work) => {
    if (hasAdapters) return decoder.withoutAdapters(() => work(decoder))
    const first = buildDecoder(start, kind)
    try {
      return await work(first)
    } finally {
      first.dispose()
    }
  }
  if (moving !== null) {
    const whole = hasAdapters ? null : buildDecoder(start, kind)
    const own = whole === null ? copiesOf(decoder.variables) : pick(whole.variables, Object.keys(decoder.variables))
    if (moving.stored !== null) readInto(own, moving.stored)
    return {
      hash,
      use: (work) => (whole === null ? exchanged(decoder, own, work) : work(whole)),
      useFirst,
      keep: () => undefined,
      moving: {
        follow: () => follow(own, decoder.variables, moving.mixup),
        restore: (stored) => readInto(own, stored),
        tensors: toWrite(own),
      },
    }
  }
  let kept: Decoder | null = null
  return {
    hash,
    use: (work) => (kept === null ? useFirst(work) : work(kept)),
    useFirst: (work) => (kept === null ? useFirst(work) : work(kept)),
    keep() {
      if (!hasAdapters) kept ??= buildDecoder(start, kind)
    },
    moving: null,
  }
}

type Variables = Readonly<Record<string, tf.Variable>>

function copiesOf(variables: Variables): Variables {
  return Object.fromEntries(
    Object.entries(variables).map(([name, variable]) => {
      const copy = tf.tidy(() => tf.variable(tf.mul(variable, 1), false))
      return [name, copy]
    }),
  )
}

function pick(variables: Variables, names: readonly string[]): Variables {
  return Object.fromEntries(names.map((name) => [name, variables[name]!])) // the start has every weight of the policy
}

/** @throws AppError `spec-invalid` where the checkpoint has another model's */
function readInto(own: Variables, stored: TensorSource): void {
  for (const [name, variable] of Object.entries(own)) {
    try {
      assignFrom(variable, stored, name)
    } catch (error) {
      if (!(error instanceof RangeError)) throw error
      throw new AppError({
        code: 'spec-invalid',
        message: `The checkpoint’s reference policy is not that of this run: ${error.message}.`,
        hint: 'The checkpoint is damaged; start the run again.',
        cause: error,
      })
    }
  }
}

function follow(own: Variables, policy: Variables, mixup: number): void {
  for (const [name, variable] of Object.entries(own)) {
    tf.tidy(() => {
      const share = tf.mul(policy[name]!, mixup) // of 1 the very same numbers, in memory of their own
      variable.assign(mixup === 1 ? share : tf.add(tf.mul(variable, 1 - mixup), share))
    })
  }
}

/** The decoder with the reference's numbers in place of what trains, and back. */
async function exchanged<T>(decoder: Decoder, own: Variables, work: (reference: Decoder) => Promise<T>): Promise<T> {
  const held = Object.entries(decoder.variables).map(([name, variable]) => {
    const before = variable.clone()
    variable.assign(own[name]!)
    return { variable, before }
  })
  try {
    return await work(decoder)
  } finally {
    for (const { variable, before } of held) {
      variable.assign(before)
      before.dispose()
    }
  }
}

function toWrite(own: Variables): Record<string, TensorToWrite> {
  return Object.fromEntries(
    Object.entries(own).map(([name, variable]) => [
      name,
      { shape: [...variable.shape], read: async () => (await variable.data<'float32'>()).slice() },
    ]),
  )
}
