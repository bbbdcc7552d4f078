import { describe, expect, it } from 'vitest'
import { createRandom } from '../../main/core/learn/random.ts'
import { worlds } from '../../main/core/worlds/registry.ts'
import { boundText } from '../../renderer/label/segments/draw.ts'
import { distanceTo, stageOf } from '../../renderer/label/segments/scene.ts'

describe.each(worlds.map((kind) => [kind.info.id, kind] as const))('%s', (id, kind) => {
  it('has a picture, in which everything that matters is in view', async () => {
    const stage = stageOf(id)!
    const world = await kind.open()
    const random = createRandom(3)
    world.reset(random)
    const [left, bottom, right, top] = stage.view
    for (let step = 0; step < 40; step += 1) {
      const scene = stage.scene(world.qpos())
      for (const shape of scene.shapes) {
        const points = shape.kind === 'disc' ? [shape.at] : shape.points
        expect(points.flat().every(Number.isFinite)).toBe(true)
      }
      const middle = stage.follows ? scene.tip : [0, 0]
      expect(scene.tip[0]).toBeGreaterThan(left + middle[0]!)
      expect(scene.tip[0]).toBeLessThan(right + middle[0]!)
      expect(scene.tip[1]).toBeGreaterThan(bottom)
      expect(scene.tip[1]).toBeLessThan(top)
      world.step(kind.expert(world.observe(), random))
    }
    world.dispose()
  })
})

it('draws the arm where the simulator has it', async () => {
  const kind = worlds.find(({ info }) => info.id === 'reacher')!
  const world = await kind.open()
  const random = createRandom(5)
  world.reset(random)
  for (let step = 0; step < 20; step += 1) {
    const { observation } = world.step([0.8, -0.4])
    expect(distanceTo(stageOf('reacher')!.scene(world.qpos()))).toBeCloseTo(
      Math.hypot(observation[8]!, observation[9]!) / 5,
      6,
    )
  }
  world.dispose()
})

it('has none for worlds that are not ours', () => {
  expect([stageOf(null), stageOf('atari')]).toEqual([null, null])
  expect(distanceTo(stageOf('half-cheetah')!.scene([0, 0, 0, 0, 0, 0, 0, 0, 0]))).toBeNull()
})

it('names the ends of a curve in six places', () => {
  expect([-0.19, 0.0001, 0.61, -1234, 0].map((value) => boundText(value, Math.abs(value) * 2))).toEqual([
    '-0.19',
    '1e-4',
    '0.61',
    '-1e+3',
    '0',
  ])
  expect(boundText(0.0001, 0.2)).toBe('0')
})
