// How much memory and time an import takes, through the real service: node test/bench/import.ts [size in MiB, 1024 by default]
// The file is made first, and read by a process of its own, so that the peak is the import's alone.
import { fork } from 'node:child_process'
import { createWriteStream, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { once } from 'node:events'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { openData } from '../support/open-data.ts'

const MIB = 1024 * 1024
const WORDS =
  'the quick brown fox jumps over a lazy dog while seven wizards box quietly and nobody knows why it rains so often in autumn'.split(
    ' ',
  )

interface Measured {
  readonly pairs: number
  readonly prompts: number
  readonly seconds: number
  readonly peakRssMib: number
  readonly longestPauseMs: number
  readonly pause99Ms: number
  readonly progressEvents: number
}

/** A generator of its own, so that the file is the same every time. */
function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
}

async function generate(file: string, sizeBytes: number): Promise<number> {
  const random = randomFrom(7)
  const text = (words: number): string =>
    Array.from({ length: words }, () => WORDS[Math.floor(random() * WORDS.length)]).join(' ')
  const stream = createWriteStream(file)
  let written = 0
  let rows = 0
  while (written < sizeBytes) {
    let block = ''
    for (let row = 0; row < 500; row += 1) {
      block += `${JSON.stringify({ id: `row-${rows}`, prompt: `Question ${Math.floor(random() * 1e6)}: ${text(40)}`, chosen: text(60), rejected: text(50), score_chosen: Math.round(random() * 100) / 10, score_rejected: Math.round(random() * 100) / 10, source: 'bench' })}\n`
      rows += 1
    }
    written += Buffer.byteLength(block)
    if (!stream.write(block)) await once(stream, 'drain')
  }
  stream.end()
  await once(stream, 'finish')
  return rows
}

async function measure(folder: string, file: string): Promise<Measured> {
  const data = openData(folder)
  const pauses = monitorEventLoopDelay({ resolution: 5 })
  pauses.enable()
  const startedAtMs = performance.now()
  const job = await data.importFile(file)
  const seconds = (performance.now() - startedAtMs) / 1000
  pauses.disable()
  const [dataset] = await data.call('datasets.list', {})
  const progressEvents = data.eventsOf('import.progress').length
  await data.close()
  return {
    pairs: job.rowsKept,
    prompts: dataset?.promptCount ?? 0,
    seconds,
    peakRssMib: process.resourceUsage().maxRSS / 1024,
    longestPauseMs: pauses.max / 1e6,
    pause99Ms: pauses.percentile(99) / 1e6,
    progressEvents,
  }
}

async function main(): Promise<void> {
  const sizeMib = Number(process.argv[2] ?? 1024)
  const work = mkdtempSync(path.join(tmpdir(), 'pairlab-bench-'))
  try {
    const file = path.join(work, 'bench.jsonl')
    const rows = await generate(file, sizeMib * MIB)
    console.log(`made ${sizeMib} MiB of JSONL, ${rows} rows`)
    const child = fork(import.meta.filename, ['measure', path.join(work, 'data'), file])
    const [result] = (await once(child, 'message')) as [Measured] // sent below
    if (child.exitCode === null) await once(child, 'exit')
    console.log(
      `imported ${result.pairs} pairs (${result.prompts} prompts) in ${result.seconds.toFixed(1)} s: ${Math.round(result.pairs / result.seconds)} rows/s, ${(sizeMib / result.seconds).toFixed(1)} MiB/s`,
    )
    console.log(
      `peak resident memory ${Math.round(result.peakRssMib)} MiB; event loop held up ${result.pause99Ms.toFixed(0)} ms (99 %), ${result.longestPauseMs.toFixed(0)} ms at worst; ${result.progressEvents} progress events`,
    )
    if (result.pairs !== rows) throw new Error(`expected ${rows} pairs`)
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

const [mode, folder, file] = process.argv.slice(2)
if (mode === 'measure' && folder !== undefined && file !== undefined) {
  const result = await measure(folder, file)
  process.send?.(result)
  process.disconnect()
} else {
  await main()
}
