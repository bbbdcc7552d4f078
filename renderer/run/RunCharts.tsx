import { useId, type ReactNode } from 'react'
import { Download } from 'lucide-react'
import { useZoom, useChartLink, useCrosshair } from '../charts/chart-link.ts'
import { chartMenu } from '../charts/chart-menu.ts'
import { crosshairText, type ChartModel, type Range } from '../charts/chart-model.ts'
import { LineChart } from '../charts/LineChart.tsx'
import { upperFirst } from '../../shared/metric-names.ts'
import { Button } from '../parts/Button.tsx'
import { formatNumber } from '../../shared/units.ts'
import { MenuButton } from '../parts/MenuButton.tsx'
import { Segmented } from '../parts/Segmented.tsx'
import type { ChartPlan, XAxis } from './run-charts.ts'
import type { useRunView } from './run-view.ts'

export interface RunChart {
  readonly plan: ChartPlan
  readonly model: ChartModel
}

function xAxes(items: string): readonly { readonly value: XAxis; readonly label: string }[] {
  return [
    { value: 'step', label: 'Step' },
    { value: 'pairs', label: `${upperFirst(items)} seen` },
    { value: 'time', label: 'Time' },
  ]
}

/** How all charts are drawn: x axis, smoothing, log. */
export function ChartToolbar({
  view,
  range,
  items,
}: {
  readonly view: ReturnType<typeof useRunView>
  /** What the data hold, in the plural. */
  readonly items: string
  readonly range: Range
}): ReactNode {
  const link = useChartLink()
  const zoom = useZoom()
  const crosshair = useCrosshair()
  const smoothingId = useId()
  return (
    <div className="run-tools">
      <span>x axis</span>
      <Segmented
        title="x axis"
        small
        value={view.xAxis}
        choices={xAxes(items)}
        onChange={(xAxis) => {
          link.setZoom(null)
          link.setCrosshair(null)
          view.change({ xAxis })
        }}
      />
      <label className="check">
        <input
          type="checkbox"
          checked={view.xLog}
          onChange={(event) => {
            link.setZoom(null)
            view.change({ xLog: event.currentTarget.checked })
          }}
        />
        log
      </label>
      <label htmlFor={smoothingId}>
        Smoothing <output className="mono run-factor">{view.smoothing}</output>
      </label>
      <input
        id={smoothingId}
        type="range"
        className="slider"
        min={0}
        max={0.99}
        step={0.01}
        value={view.smoothing}
        onChange={(event) => view.change({ smoothing: Number(event.currentTarget.value) })}
      />
      <span className="grow" />
      {crosshair === null ? null : (
        <span className="nowrap run-wide">
          Crosshair at <b className="mono">{crosshairText(crosshair, range)}</b>, in all charts
        </span>
      )}
      {zoom === null ? (
        <span className="text-3 nowrap">drag to zoom</span>
      ) : (
        <Button small onClick={() => link.setZoom(null)}>
          Whole run
        </Button>
      )}
    </div>
  )
}

interface RunChartsProps {
  readonly name: string
  readonly charts: readonly RunChart[]
  readonly view: ReturnType<typeof useRunView>
}

export function RunCharts({ name, charts, view }: RunChartsProps): ReactNode {
  const zoom = useZoom()
  return (
    <div className="run-grid" data-few={charts.length <= 3}>
      {charts.map(({ plan, model }) => (
        <section key={plan.id} className="run-cell" aria-label={plan.title}>
          <div className="run-cell-head">
            <h2 title={plan.help}>{plan.title}</h2>
            <span className="text-3 ellipsis">{model.note}</span>
            <span className="grow" />
            <Latest model={model} />
            <button
              type="button"
              className="log-toggle"
              aria-pressed={view.yLog.includes(plan.id)}
              title="Logarithmic y axis"
              onClick={() => view.toggleYLog(plan.id)}
            >
              log
            </button>
            <MenuButton
              look="quiet"
              small
              icon={Download}
              label={`Export ${plan.title}`}
              items={chartMenu(name, model, zoom)}
            />
          </div>
          <LineChart model={model} />
        </section>
      ))}
    </div>
  )
}

/** Where a chart of one quantity stands now: the held-out value if there is one. */
function Latest({ model }: { readonly model: ChartModel }): ReactNode {
  const named = model.series.filter((line) => line.faint !== true)
  const line = named.findLast((one) => one.dots === true) ?? named[0]
  const value = line?.y.findLast((one) => one !== null)
  return value === undefined || value === null ? null : (
    <b className="mono" title={line?.label}>
      {formatNumber(value)}
    </b>
  )
}
