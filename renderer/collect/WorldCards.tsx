import { useRef, type ReactNode } from 'react'
import type { WorldSummary } from '../../shared/contract/segments.ts'
import { drawMoment, readColours } from '../label/segments/draw.ts'
import { stageOf } from '../label/segments/scene.ts'
import { useRedraw } from '../label/segments/use-redraw.ts'

interface WorldCardsProps {
  readonly worlds: readonly WorldSummary[]
  readonly chosen: string
  onChoose(world: string): void
}

/** One card a world: a drawing and its sizes; what it is about stands beside the form, of the chosen one. */
export function WorldCards({ worlds, chosen, onChoose }: WorldCardsProps): ReactNode {
  return (
    <div className="worlds" role="radiogroup" aria-label="World">
      {worlds.map((world) => (
        <label key={world.id} className="world" data-on={world.id === chosen} title={world.summary}>
          <input
            type="radio"
            className="hidden-visually"
            name="world"
            value={world.id}
            checked={world.id === chosen}
            onChange={() => onChoose(world.id)}
          />
          <Still world={world.id} />
          <b>{world.name}</b>
          <span className="small text-3">
            <span className="mono">{world.observation.length}</span> seen,{' '}
            <span className="mono">{world.action.length}</span> done
          </span>
        </label>
      ))}
    </div>
  )
}

function Still({ world }: { readonly world: string }): ReactNode {
  const canvas = useRef<HTMLCanvasElement>(null)
  const stage = stageOf(world)
  useRedraw(() => {
    if (canvas.current === null || stage === null) return
    drawMoment(canvas.current, {
      stage,
      frames: [stage.still],
      frame: 0,
      ghosts: false,
      colours: readColours(canvas.current),
    })
  })
  return stage === null ? null : <canvas ref={canvas} className="world-still" aria-hidden="true" />
}
