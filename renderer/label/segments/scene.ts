// What a moment of a world looks like, in the world's own metres, y upward. Pure, so that it can be tested without a canvas.

export type Tone = 'body' | 'moving' | 'target' | 'fixed'

export type Shape =
  | {
      readonly kind: 'line'
      readonly points: readonly (readonly [number, number])[]
      readonly widthM: number
      readonly tone: Tone
    }
  | {
      readonly kind: 'disc'
      readonly at: readonly [number, number]
      readonly radiusM: number
      readonly tone: Tone
      readonly hollow?: boolean
    }

export interface Scene {
  readonly shapes: readonly Shape[]
  /** Whose path is traced. */
  readonly tip: readonly [number, number]
  /** Where it should be; null where there is no such place. */
  readonly target: readonly [number, number] | null
}

export interface Stage {
  /** Metres that are in view, from left and bottom; of a world that moves on, around the tip. */
  readonly view: readonly [left: number, bottom: number, right: number, top: number]
  readonly follows: boolean
  /** A moment that shows what the world is about. */
  readonly still: readonly number[]
  scene(qpos: readonly number[]): Scene
}

type Point = readonly [number, number]
const disc = (at: Point, radiusM: number, tone: Tone, hollow = false): Shape => ({
  kind: 'disc',
  at,
  radiusM,
  tone,
  hollow,
})
const line = (points: readonly Point[], widthM: number, tone: Tone): Shape => ({ kind: 'line', points, widthM, tone })
const along = ([x, y]: Point, angle: number, length: number): Point => [
  x + length * Math.cos(angle),
  y + length * Math.sin(angle),
]
const frame = (half: number): Shape =>
  line(
    [
      [-half, -half],
      [half, -half],
      [half, half],
      [-half, half],
      [-half, -half],
    ],
    0.004,
    'fixed',
  )

function pointScene(radiusM: number, fixed: readonly Shape[]) {
  return ([x = 0, y = 0, goalX = 0, goalY = 0]: readonly number[]): Scene => ({
    shapes: [...fixed, disc([goalX, goalY], 1.6 * radiusM, 'target', true), disc([x, y], radiusM, 'moving')],
    tip: [x, y],
    target: [goalX, goalY],
  })
}

function reacherScene([shoulder = 0, elbow = 0, goalX = 0, goalY = 0]: readonly number[]): Scene {
  const joint = along([0, 0], shoulder, 0.1)
  const tip = along(joint, shoulder + elbow, 0.11)
  return {
    shapes: [
      disc([goalX, goalY], 0.015, 'target', true),
      line([[0, 0], joint, tip], 0.014, 'body'),
      disc([0, 0], 0.008, 'fixed'),
      disc(tip, 0.008, 'moving'),
    ],
    tip,
    target: [goalX, goalY],
  }
}

function pushScene([fingerX = 0, fingerY = 0, puckX = 0, puckY = 0, goalX = 0, goalY = 0]: readonly number[]): Scene {
  return {
    shapes: [
      frame(0.5),
      disc([goalX, goalY], 0.05, 'target', true),
      disc([puckX, puckY], 0.05, 'body'),
      disc([fingerX, fingerY], 0.03, 'moving'),
    ],
    tip: [puckX, puckY],
    target: [goalX, goalY],
  }
}

function pendulumScene([angle = 0]: readonly number[]): Scene {
  const tip: Point = [Math.sin(angle), Math.cos(angle)]
  return {
    shapes: [
      disc([0, 1], 0.08, 'target', true),
      line([[0, 0], tip], 0.06, 'body'),
      disc([0, 0], 0.05, 'fixed'),
      disc(tip, 0.08, 'moving'),
    ],
    tip,
    target: [0, 1],
  }
}

/** Hips, knees and ankles turn about the axis that points away from the viewer, so positive angles turn clockwise here. */
function cheetahScene(qpos: readonly number[]): Scene {
  const [x = 0, z = 0, pitch = 0] = qpos
  const centre: Point = [x, 0.62 + z]
  const turned = (from: Point, dx: number, dz: number, angle: number): Point => [
    from[0] + dx * Math.cos(angle) + dz * Math.sin(angle),
    from[1] - dx * Math.sin(angle) + dz * Math.cos(angle),
  ]
  const leg = (at: number, thigh: number, shin: number, first: number): Point[] => {
    const hip = turned(centre, at, 0, pitch)
    const upper = pitch + (qpos[first] ?? 0)
    const knee = turned(hip, thigh, -0.25, upper)
    const lower = upper + (qpos[first + 1] ?? 0)
    const ankle = turned(knee, shin, -0.24, lower)
    return [hip, knee, ankle, turned(ankle, 0.1, -0.06, lower + (qpos[first + 2] ?? 0))]
  }
  const [tail, neck, head] = [
    turned(centre, -0.5, 0, pitch),
    turned(centre, 0.5, 0, pitch),
    turned(centre, 0.65, 0.16, pitch),
  ]
  return {
    shapes: [
      line(
        [
          [x - 9, 0],
          [x + 9, 0],
        ],
        0.02,
        'fixed',
      ),
      line(leg(-0.45, 0.12, -0.14, 3), 0.08, 'moving'),
      line(leg(0.45, -0.1, 0.12, 6), 0.08, 'moving'),
      line([tail, neck, head], 0.09, 'body'),
    ],
    tip: centre,
    target: null,
  }
}

const square = (half: number): Stage['view'] => [-half, -half, half, half]

const STAGES: Readonly<Record<string, Stage>> = {
  lqr: {
    view: square(2),
    follows: false,
    still: [0.9, 0.7],
    scene: ([x = 0, y = 0]) => pointScene(0.06, [])([x, y, 0, 0]),
  },
  'point-mass': {
    view: square(1.08),
    follows: false,
    still: [-0.6, -0.4, 0.55, 0.5],
    scene: pointScene(0.035, [frame(1)]),
  },
  pendulum: { view: square(1.3), follows: false, still: [0.9], scene: pendulumScene },
  reach: {
    view: square(0.56),
    follows: false,
    still: [-0.25, -0.2, 0.2, 0.18],
    scene: pointScene(0.03, [frame(0.5), disc([0, 0], 0.05, 'fixed')]),
  },
  reacher: { view: square(0.24), follows: false, still: [0.5, 0.9, -0.05, 0.15], scene: reacherScene },
  push: { view: square(0.56), follows: false, still: [-0.3, -0.22, -0.12, -0.08, 0.25, 0.2], scene: pushScene },
  'half-cheetah': {
    view: [-1.3, -0.3, 1.3, 1.4],
    follows: true,
    still: [0, 0, -0.1, -0.5, 0.6, 0.2, 0.5, -0.5, -0.2],
    scene: cheetahScene,
  },
}

/** Null for segments of no world of ours: there is nothing that could be drawn. */
export function stageOf(world: string | null): Stage | null {
  return world === null ? null : (STAGES[world] ?? null)
}

export function distanceTo({ tip, target }: Scene): number | null {
  return target === null ? null : Math.hypot(tip[0] - target[0], tip[1] - target[1])
}
