import {
  CONTROL_TRAINING,
  startControlRun,
  type ControlRun,
  type ControlTraining,
} from '../../main/core/learn/control/control-run.ts'
import type { ControlMethod } from '../../main/core/learn/control/control.ts'
import { createRandom } from '../../main/core/learn/random.ts'
import { tf } from '../../main/core/learn/tf.ts'
import type { SegmentSet } from '../../shared/segments.ts'
import type { ToyCourse } from './toy-course.ts'

export const TOY_TIME = 6

/** One number is seen and one given, `slope` of it with noise; the nearer an action is to half of what is seen, the better. */
export function toySet(count = 40, { slope, noise } = { slope: -0.3, noise: 0.5 }): SegmentSet {
  const random = createRandom(1)
  const observations = Float32Array.from({ length: count * TOY_TIME }, () => 2 * random.uniform() - 1)
  const actions = observations.map((seen) => Math.max(-0.99, Math.min(0.99, slope * seen + noise * random.normal())))
  const rewards = actions.map((action, at) => -((action - 0.5 * observations[at]!) ** 2))
  const scores = Float64Array.from({ length: count }, (_, segment) =>
    rewards.subarray(segment * TOY_TIME, (segment + 1) * TOY_TIME).reduce((sum, reward) => sum + reward, 0),
  )
  const first = Int32Array.from({ length: count / 2 }, (_, pair) => pair)
  const second = first.map((pair) => pair + count / 2)
  return {
    world: 'toy',
    count,
    time: TOY_TIME,
    observationSize: 1,
    actionSize: 1,
    observations,
    actions,
    rewards,
    scores,
    mask: new Float32Array(count * TOY_TIME).fill(1),
    comparisons: {
      first,
      second,
      secondPreferred: Float32Array.from(first, (pair) => (scores[pair + count / 2]! > scores[pair]! ? 1 : 0)),
    },
  }
}

export function startToyRun(
  method: ControlMethod,
  changes: Record<string, unknown>,
  batchSize = 8,
  steps = 60,
  training: Partial<ControlTraining> = {},
): ControlRun {
  return startControlRun({
    method,
    config: method.config.parse({ width: 16, ...changes }),
    training: { ...CONTROL_TRAINING, steps, batchSize, learningRate: 0.01, dropout: 0.05, ...training },
    sizes: { observation: 1, action: 1 },
    seed: 3,
  })
}

/** So much to be copied that no batch hides whether it was. */
export const CLEAR = { slope: 0.9, noise: 0.2 }
/** What a toy of six steps a segment needs: a sum over 64 has another temperature, and cloning first hides what is learned then. Settings that a method lacks are left out. */
const CHANGES = { alpha: 1, bcShare: 0, topShare: 0.2 }

/** Sixty steps. Of methods that learn in stages, the losses of the last; of one that learns a reward, that, whose target stands still. */
export async function learnToySegments(method: ControlMethod): Promise<ToyCourse> {
  const set = toySet(40, CLEAR)
  const run = startToyRun(
    method,
    Object.fromEntries(Object.entries(CHANGES).filter(([name]) => name in (method.config.parse({}) as object))),
    24,
  )
  const done: {
    readonly stage: string
    readonly loss: number
    readonly reward: number | undefined
    readonly tensors: number
  }[] = []
  const values: number[] = []
  for (let step = 0; step < 60; step += 1) {
    const { stage, metrics, gradNorm } = await run.update(set)
    done.push({ stage, loss: metrics['loss']!, reward: metrics['reward/loss'], tensors: tf.memory().numTensors })
    values.push(gradNorm, ...Object.values(metrics))
  }
  run.dispose()
  const rewards = done.flatMap(({ reward }) => (reward === undefined ? [] : [reward]))
  const losses =
    rewards.length > 0 ? rewards : done.filter(({ stage }) => stage === done.at(-1)!.stage).map(({ loss }) => loss)
  return { losses, tensors: done.map(({ tensors }) => tensors), values, score: null }
}
