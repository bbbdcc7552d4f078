// How long each call of the contract holds the app's process at a size:
//   npm run bench:loop -- --pairs 1000000 --runs 500 [--steps 1000] [--only datasets.] [--json file]
// The data folder is made once and kept in the temporary folder by its size; every run works on a copy.
import { cpSync, createWriteStream, existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { createApp, type App } from '../../main/app/app.ts'
import type { Place } from '../support/call-inputs.ts'
import { gaugeEventLoop, type Held } from '../support/event-loop-gauge.ts'
import { gaugeCalls, type GaugedCall } from '../support/gauge-calls.ts'
import { makeLargeData, type LargeSize } from '../support/large-data.ts'

const { values } = parseArgs({
  options: {
    pairs: { type: 'string', default: '1000000' },
    runs: { type: 'string', default: '500' },
    steps: { type: 'string', default: '1000' },
    only: { type: 'string', default: '' },
    json: { type: 'string', default: '' },
  },
})
const size: LargeSize = { pairs: Number(values.pairs), runs: Number(values.runs), steps: Number(values.steps) }
const root = path.join(tmpdir(), `pairlab-loop-${size.pairs}-${size.runs}-${size.steps}`)
type Row = GaugedCall & { readonly call: string }
const rows: Row[] = []

const template = path.join(root, 'made')
if (!existsSync(template)) {
  console.log(`making ${size.pairs} pairs with two labels each and ${size.runs} runs of ${size.steps} steps in ${root}`)
  rmSync(root, { recursive: true, force: true })
  mkdirSync(root, { recursive: true })
  await makeLargeData(`${template}.part`, size)
  renameSync(`${template}.part`, template)
}
const dataFolder = path.join(root, `work-${process.pid}`)
cpSync(template, dataFolder, { recursive: true })
const importFile = path.join(root, 'import.jsonl')
if (!existsSync(importFile)) await writeImport(importFile, Math.ceil(size.pairs / 10))
try {
  const app = await start('(first start: the runs are read)')
  await app.close('continue')
  await call(await start('(next start)'), { size, dataFolder, importFile })
} finally {
  rmSync(dataFolder, { recursive: true, force: true })
}
const worst = rows.toSorted((a, b) => b.longestMs - a.longestMs)
console.log(`\nworst of ${rows.length}:`)
for (const row of worst.slice(0, 15)) print(row)
console.log(
  `${rows.filter((row) => row.longestMs > 50).length} of ${rows.length} held the process for more than 50 ms (${rows.filter((row) => row.longestCpuMs > 50).length} by processor time)`,
)
if (values.json !== '') writeFileSync(values.json, `${JSON.stringify(rows, null, 1)}\n`)

async function start(title: string): Promise<App> {
  const beganMs = performance.now()
  const { value, held } = await gaugeEventLoop(() => createApp({ dataFolder }))
  show(title, held, performance.now() - beganMs, 'ok')
  return value
}

async function call(app: App, place: Place): Promise<void> {
  try {
    for await (const row of gaugeCalls(app, place)) {
      const { name: _name, input: _input, ...gauged } = row
      if (!row.call.startsWith(values.only)) continue
      rows.push(gauged)
      print(gauged)
    }
  } finally {
    await app.close('continue')
  }
}

function show(title: string, held: Held, totalMs: number, answer: string): void {
  const row = { call: title, ...held, totalMs, answer }
  rows.push(row)
  print(row)
}

function print({ call: title, longestMs, longestCpuMs, totalMs, peakRssBytes, answer }: Row): void {
  const ms = (value: number): string => value.toFixed(0).padStart(7)
  console.log(
    `${title.padEnd(52)} held ${ms(longestMs)} ms (processor ${ms(longestCpuMs)} ms)  took ${ms(totalMs)} ms  ${(peakRssBytes / 2 ** 20).toFixed(0).padStart(5)} MiB  ${answer}`,
  )
}

async function writeImport(file: string, count: number): Promise<void> {
  const stream = createWriteStream(file)
  for (let from = 0; from < count; from += 1000) {
    const block = Array.from(
      { length: Math.min(1000, count - from) },
      (_, at) =>
        `${JSON.stringify({ prompt: `A question ${from + at}?`, chosen: `a good answer ${from + at}`, rejected: 'a bad one' })}\n`,
    ).join('')
    if (!stream.write(block)) await once(stream, 'drain')
  }
  stream.end()
  await once(stream, 'finish')
}
