import { expect, it } from 'vitest'
import { explainedVariance, fitValue } from '../../main/core/learn/control/fit-value.ts'
import { createRandom } from '../../main/core/learn/random.ts'
import { tf } from '../../main/core/learn/tf.ts'
import { createRollOutValue } from '../../main/core/worlds/label.ts'
import { quadratic } from '../../main/core/worlds/linear-quadratic.ts'
import { lqr, lqrSolution } from '../../main/core/worlds/lqr.ts'

it('finds the regulator’s own value from returns that were acted out', async () => {
  const before = tf.memory().numTensors
  const world = await lqr.open()
  const random = createRandom(1)
  const value = createRollOutValue(world, lqr.expert, { steps: 400, discount: lqr.info.discount })
  const draw = (count: number) => {
    const observations = new Float32Array(4 * count)
    const returns = Float64Array.from({ length: count }, (_, state) => {
      observations.set(world.reset(random), 4 * state)
      return value(world.save())
    })
    return { observationSize: 4, observations, returns }
  }
  const fitted = fitValue(draw(400), {
    steps: 400,
    batchSize: 64,
    learningRate: 5e-3,
    width: 32,
    random: createRandom(2),
  })
  const fresh = draw(100)
  const exact = Array.from(
    { length: 100 },
    (_, state) => -quadratic(lqrSolution().p, fresh.observations.subarray(4 * state, 4 * state + 4)),
  )
  expect(explainedVariance(exact, fresh.returns)).toBeGreaterThan(0.999)
  expect(explainedVariance(exact, fitted.values(fresh.observations))).toBeGreaterThan(0.95)
  fitted.dispose()
  expect(tf.memory().numTensors).toBe(before)
  expect(() =>
    fitValue(
      { observationSize: 1, observations: new Float32Array(), returns: new Float64Array() },
      { steps: 1, batchSize: 1, learningRate: 1, width: 2, random },
    ),
  ).toThrow('no state')
})
