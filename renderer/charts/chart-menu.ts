import type { MenuItem } from '../parts/MenuButton.tsx'
import { asAppError } from '../api/client.ts'
import { showToast } from '../parts/toast.tsx'
import { chartToCsv, download, figureToPng, figureToSvg, fileStem, paperPalette } from './chart-export.ts'
import { figureOfChart, type Figure } from './chart-marks.ts'
import type { ChartModel, Range } from './chart-model.ts'
import type { Palette } from './marks.ts'

const SIZE = { width: 760, height: 440 } as const

interface Exported {
  readonly name: string
  figure(palette: Palette): Figure
  readonly csv: string
}

export function figureItems(prefix: string, make: () => Exported): MenuItem[] {
  return [
    {
      id: `${prefix}svg`,
      title: 'Save as SVG',
      run() {
        const { name, figure } = make()
        download(`${fileStem(name)}.svg`, figureToSvg(figure(paperPalette())), 'image/svg+xml')
      },
    },
    {
      id: `${prefix}png`,
      title: 'Save as PNG',
      run() {
        const { name, figure } = make()
        figureToPng(figure(paperPalette())).then(
          (blob) => download(`${fileStem(name)}.png`, blob),
          (error: unknown) => showToast(asAppError(error).message, { tone: 'bad' }),
        )
      },
    },
    {
      id: `${prefix}csv`,
      title: 'Save the data as CSV',
      run() {
        const { name, csv } = make()
        download(`${fileStem(name)}.csv`, csv, 'text/csv')
      },
    },
  ]
}

/** What every chart offers. `name` starts the file's name. */
export function chartMenu(name: string, model: ChartModel, zoom: Range | null): MenuItem[] {
  return figureItems('chart.', () => ({
    name: `${name} ${model.title}`,
    figure: (palette) => figureOfChart(model, palette, { ...SIZE, zoom }),
    csv: chartToCsv(model),
  }))
}
