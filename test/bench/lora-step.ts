// npm run bench:step [rows] [tokens] [threads]: one LoRA step of DPO on SmolLM2's shape (30 layers of 576, 49,152 words, random
// weights), its time and its peak, beside PyTorch with PEFT in the same run, in turns. PAIRLAB_PYTHON names a Python that
// has torch, transformers and peft; without one there is no ratio.
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { formatBytes } from '../../shared/units.ts'

const TURNS = 2
const [rows = '8', tokens = '128', threads = '2'] = process.argv.slice(2)

interface Measured {
  /** Median of the steps after the first. */
  readonly stepMs: number
  /** Resident memory at most. */
  readonly peakBytes: number
}

function measure(program: string, script: string): Measured | string {
  const file = fileURLToPath(new URL(script, import.meta.url))
  const limits = { OMP_NUM_THREADS: threads, MKL_NUM_THREADS: threads }
  const child = spawnSync(program, [file, rows, tokens, threads], {
    encoding: 'utf8',
    env: { ...process.env, ...limits },
  })
  const line = child.stdout?.trim().split('\n').at(-1) ?? ''
  if (child.status !== 0) return child.stderr?.trim().split('\n').at(-1) ?? String(child.error)
  return JSON.parse(line) as Measured // as both children print it
}

const python = process.env['PAIRLAB_PYTHON'] ?? 'python3'
const found: { ours: Measured[]; theirs: Measured[] } = { ours: [], theirs: [] }
for (let turn = 1; turn <= TURNS; turn += 1) {
  for (const [name, list, result] of [
    ['Pairlab, wasm', found.ours, measure(process.execPath, 'lora-step-child.ts')],
    ['PyTorch, PEFT', found.theirs, measure(python, 'lora_step_peer.py')],
  ] as const) {
    if (typeof result === 'string') console.log(`${name}: ${result}`)
    else {
      list.push(result)
      console.log(`${name}: ${(result.stepMs / 1000).toFixed(2)} s a step, peak ${formatBytes(result.peakBytes)}`)
    }
  }
}
const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length
if (found.ours.length > 0 && found.theirs.length > 0) {
  const ratio = (of: (one: Measured) => number): string =>
    (mean(found.ours.map(of)) / mean(found.theirs.map(of))).toFixed(2)
  console.log(
    `${rows} rows of ${tokens} tokens, ${threads} threads: ${ratio((one) => one.stepMs)} × the time, ${ratio((one) => one.peakBytes)} × the memory`,
  )
}
