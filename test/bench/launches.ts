// What a training step asks of a graphics card, with Pairlab's kernels and with the backend's alone, counted:
// npm run bench:launches -- [--whole] [--card]. Counts are the same on every card and, but for bytes, with few tokens as with
// many: with --whole the steps have all their tokens, and are timed. The card is the one that Chromium's SwiftShader emulates,
// which takes minutes for that; with --card the machine's own.
import { spawnSync } from 'node:child_process'
import { cpus } from 'node:os'
import { fileURLToPath } from 'node:url'
import { softwareGpu } from '../support/software-gpu.ts'
import { SHAPES, type ShapeName } from './engine-jobs.ts'
import type { Counted, LaunchReport } from './launches-child.ts'

const card = process.argv.includes('--card')
const TOKENS = process.argv.includes('--whole') ? 'all' : '8'
const CHILD = fileURLToPath(new URL('./launches-child.ts', import.meta.url))

type Kernels = 'own' | 'stock'
type Job = 'sft' | 'dpo'

function count(kernels: Kernels, shape: ShapeName, job: Job, layers: number, tokens: string): LaunchReport {
  process.stderr.write(`${shape} ${job}, ${layers} layers, ${kernels}\n`)
  const { status, stdout, stderr } = spawnSync(process.execPath, [CHILD, kernels, shape, job, String(layers), tokens], {
    encoding: 'utf8',
    env: { ...process.env, ...(card ? {} : softwareGpu) },
  })
  if (status !== 0) throw new Error(stderr.slice(-2000))
  return JSON.parse(stdout.trim().split('\n').at(-1)!) as LaunchReport
}

const PHASES = ['forward', 'backward', 'update'] as const

function whole(report: LaunchReport): Counted {
  const names = Object.keys(report.forward) as (keyof Counted)[]
  return Object.fromEntries(
    names.map((name) => [name, PHASES.reduce((sum, phase) => sum + report[phase][name], 0)]),
  ) as unknown as Counted // the same names
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!
}

const kib = (bytes: number): string => (bytes / 1024).toFixed(1)
const rows: string[][] = [
  [
    'step',
    'kernels',
    'launches',
    'forward + backward + update',
    'submits',
    'KiB up',
    'of arguments',
    'reads',
    'buffers',
    'pipelines',
    'ms',
  ],
]
const perLayer: string[] = []
let device = ''
for (const shape of ['small', 'large'] as const) {
  for (const job of ['sft', 'dpo'] as const) {
    const { layers } = SHAPES[shape].config
    const reports = new Map<Kernels, LaunchReport>()
    for (const kernels of ['stock', 'own'] as const) {
      const report = count(kernels, shape, job, layers, TOKENS)
      reports.set(kernels, report)
      device = report.device
      const all = whole(report)
      rows.push([
        `${shape} ${job}`,
        kernels === 'own' ? 'Pairlab' : 'backend',
        String(all.launches),
        PHASES.map((phase) => report[phase].launches).join(' + '),
        String(all.submits),
        kib(all.bytesUp),
        kib(all.argumentBytes),
        String(all.readBacks),
        String(all.buffers),
        String(all.pipelines),
        TOKENS === 'all' ? median(report.stepMs).toFixed(0) : '',
      ])
    }
    const [stock, own] = [reports.get('stock')!, reports.get('own')!]
    const ratio = whole(stock).launches / whole(own).launches
    const losses = stock.loss.map((value, at) => Math.abs(value - own.loss[at]!))
    perLayer.push(
      `${shape} ${job}: ${ratio.toFixed(2)} × fewer launches${TOKENS === 'all' ? `, ${(median(own.stepMs) / median(stock.stepMs)).toFixed(2)} of the time` : ''}; losses of all steps differ by at most ${Math.max(...losses).toExponential(1)}`,
    )
  }
  const [one, two] = [1, 2].map((layers) => count('own', shape, 'sft', layers, '8')) as [LaunchReport, LaunchReport]
  const each = PHASES.map((phase) => two[phase].launches - one[phase].launches)
  perLayer.push(`${shape}: a layer takes ${each[0]} launches forward, ${each[1]} backward, ${each[2]} of the update`)
}

const widths = rows[0]!.map((_title, column) => Math.max(...rows.map((row) => row[column]!.length)))
console.log(`${device}; ${cpus()[0]?.model ?? 'unknown processor'}, ${cpus().length} cores\n`)
for (const row of rows)
  console.log(
    row.map((cell, column) => (column < 2 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!))).join('  '),
  )
console.log(`\n${perLayer.join('\n')}`)
