import type { ReactNode } from 'react'
import type { BanditReport } from '../../shared/contract/papers.ts'
import { lookOf } from './look.ts'

const SIDE = 420
const TOP = 26
const LEFT = 70
const WIDTH = SIDE + 2 * LEFT
const HEIGHT = SIDE * 0.866 + TOP + 30
const CELLS = 72
const SHADES = [0.01, 0.04, 0.1, 0.2, 0.35, 0.6] as const

/** Barycentric to screen: arm 1 right, arm 2 top, arm 3 left. */
function place(policy: readonly number[]): readonly [number, number] {
  const [one = 0, two = 0] = policy
  return [LEFT + (one + two / 2) * SIDE, TOP + (1 - two) * SIDE * 0.866]
}

/** J* − J(π) = β KL(π‖π*): the same number as from the definition, in closed form. */
function regretOf(policy: readonly number[], report: BanditReport): number {
  return policy.reduce(
    (sum, share, arm) =>
      share <= 0 ? sum : sum + report.setup.beta * share * Math.log(share / (report.optimum[arm] ?? 1)),
    0,
  )
}

/** Small triangles shaded by how far their middle is from the optimum: one outline a shade, since thousands of elements are slow. */
function shades(report: BanditReport): readonly string[] {
  const outlines = SHADES.map(() => '')
  const corner = (i: number, j: number): number[] => [i / CELLS, j / CELLS, 1 - (i + j) / CELLS]
  for (let i = 0; i < CELLS; i += 1) {
    for (let j = 0; i + j < CELLS; j += 1) {
      for (const corners of [
        [corner(i, j), corner(i + 1, j), corner(i, j + 1)],
        ...(i + j + 2 <= CELLS ? [[corner(i + 1, j), corner(i, j + 1), corner(i + 1, j + 1)]] : []),
      ]) {
        const middle = [0, 1, 2].map((arm) => corners.reduce((sum, point) => sum + (point[arm] ?? 0) / 3, 0))
        const regret = regretOf(middle, report)
        const shade = SHADES.filter((bound) => regret > bound).length - 1
        if (shade >= 0)
          outlines[shade] += `M${corners
            .map((point) =>
              place(point)
                .map((value) => value.toFixed(1))
                .join(' '),
            )
            .join('L')}Z`
      }
    }
  }
  return outlines
}

/** Where each method goes from the reference: every point of the triangle is a policy over the three arms. */
export function Simplex({ report }: { readonly report: BanditReport }): ReactNode {
  const corners = [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ].map(place)
  const [start, best] = [place(report.setup.reference), place(report.optimum)]
  return (
    <svg
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      className="simplex"
      role="img"
      aria-label="Paths of the methods over the triangle of policies, from the reference to where they end"
    >
      {shades(report).map((outline, shade) => (
        <path key={SHADES[shade]} d={outline} data-shade={shade + 1} />
      ))}
      <polygon points={corners.map((corner) => corner.join(',')).join(' ')} className="simplex-edge" />
      <CornerName at={corners[0]} name="arm 1" reward={report.setup.rewards[0]} dy={18} />
      <CornerName at={corners[1]} name="arm 2" reward={report.setup.rewards[1]} dy={-8} />
      <CornerName at={corners[2]} name="arm 3" reward={report.setup.rewards[2]} dy={18} />
      {report.methods.map((method) => {
        const { colour, dash } = lookOf(method.id)
        const [x, y] = place(method.end.policy)
        return (
          <g key={method.id} style={{ stroke: `var(${colour})` }}>
            <polyline
              points={method.path.map((point) => place(point.policy).join(',')).join(' ')}
              className="simplex-path"
              strokeDasharray={dash.join(' ')}
            />
            <circle cx={x} cy={y} r="4.5" style={{ fill: `var(${colour})` }} className="simplex-end">
              <title>{method.name}</title>
            </circle>
          </g>
        )
      })}
      <circle cx={start[0]} cy={start[1]} r="6" className="simplex-start" />
      <text x={start[0] - 10} y={start[1] - 10} textAnchor="end">
        start = reference
      </text>
      <text x={best[0] + 10} y={best[1] - 6}>
        best policy π*
      </text>
    </svg>
  )
}

function CornerName({
  at,
  name,
  reward,
  dy,
}: {
  readonly at: readonly [number, number] | undefined
  readonly name: string
  readonly reward: number | undefined
  readonly dy: number
}): ReactNode {
  if (at === undefined) return null
  return (
    <text x={at[0]} y={at[1] + dy} textAnchor="middle">
      <tspan className="simplex-arm">{name}</tspan>, reward {reward}
    </text>
  )
}
