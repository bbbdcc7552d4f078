import { createRandom, restoreRandom, type RandomState } from './random.ts'

/** Which items come next, in an order that a seed fixes and a state restores. */
export interface BatchPlan {
  /** Indices of the next batch, always `batchSize` of them (fewer only when there are fewer items in all). */
  next(): readonly number[]
  /** Passes over the data so far, with the fraction of the current one. */
  readonly epoch: number
  state(): BatchPlanState
}

export interface BatchPlanState {
  /** Of the generator before the current pass was shuffled. */
  readonly random: RandomState
  readonly epoch: number
  readonly position: number
}

export interface BatchPlanOptions {
  /** Tokens of each item. */
  readonly lengths: readonly number[]
  readonly batchSize: number
  readonly seed: number
  /** Whatever their lengths, items share a batch: where its items are set against each other, their length must not tell them apart. */
  readonly mixed?: boolean
}

/** Batches of a window are sorted by length together, so that a batch pads little and the order still is random. */
const WINDOW_BATCHES = 8

/**
 * Shuffles each pass, sorts windows of it by length unless they are to be mixed, and shuffles the batches of a window again. A pass may end within
 * a batch; the batch is then filled from the next pass, so that every update has the same size.
 * @throws RangeError without an item
 */
export function createBatchPlan(options: BatchPlanOptions, from?: BatchPlanState): BatchPlan {
  const { lengths, seed } = options
  if (lengths.length === 0) throw new RangeError('there is no item to make a batch of')
  const batchSize = Math.min(options.batchSize, lengths.length)
  const random = from === undefined ? createRandom(seed).fork('batch plan') : restoreRandom(from.random)
  let before = random.state()
  let epoch = from?.epoch ?? 0
  let position = from?.position ?? 0
  let order = shuffledPass()

  function shuffledPass(): number[] {
    before = random.state()
    const items = random.shuffle(Array.from(lengths.keys()))
    if (options.mixed === true) return items
    const result: number[] = []
    const window = batchSize * WINDOW_BATCHES
    for (let start = 0; start < items.length; start += window) {
      const sorted = items
        .slice(start, start + window)
        .sort((one, two) => (lengths[one] ?? 0) - (lengths[two] ?? 0) || one - two)
      const batches = Array.from({ length: Math.ceil(sorted.length / batchSize) }, (_none, at) =>
        sorted.slice(at * batchSize, (at + 1) * batchSize),
      )
      const whole = batches.filter((batch) => batch.length === batchSize)
      const rest = batches.filter((batch) => batch.length < batchSize)
      result.push(...random.shuffle(whole).flat(), ...rest.flat())
    }
    return result
  }

  return {
    next() {
      const batch: number[] = []
      while (batch.length < batchSize) {
        if (position === order.length) {
          epoch += 1
          position = 0
          order = shuffledPass()
        }
        batch.push(order[position] ?? 0)
        position += 1
      }
      return batch
    },
    get epoch() {
      return epoch + position / order.length
    },
    state: () => ({ random: before, epoch, position }),
  }
}
