import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createHash } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createApp, type App } from '../../main/app/app.ts'
import { contract } from '../../shared/contract.ts'
import { inProcess } from '../../shared/rpc.ts'
import { CALLS_THAT_DELETE, type Place } from '../support/call-inputs.ts'
import { gaugeCall, gaugeCalls } from '../support/gauge-calls.ts'
import { largeRunId, makeLargeData, type LargeSize } from '../support/large-data.ts'

// What is not done in slices takes several times the limit at this size already. The full size: npm run bench:loop, or
// PAIRLAB_LOOP_PAIRS=1000000 PAIRLAB_LOOP_RUNS=500.
const size: LargeSize = {
  pairs: Number(process.env['PAIRLAB_LOOP_PAIRS'] ?? 8000),
  runs: Number(process.env['PAIRLAB_LOOP_RUNS'] ?? 40),
  steps: Number(process.env['PAIRLAB_LOOP_STEPS'] ?? 60),
}
/** Processor time of this thread, so that a loaded machine does not fail it. */
const LIMIT_MS = 50
/** What the calibration takes on the machine that the limit was set on. */
const CALIBRATION_MS = 60
const PATIENCE_MS = size.pairs > 100_000 ? 3_600_000 : 300_000

let app: App
let place: Place

beforeAll(async () => {
  const dataFolder = mkdtempSync(path.join(tmpdir(), 'pairlab lóop '))
  await makeLargeData(dataFolder, size)
  const importFile = path.join(dataFolder, 'import.jsonl')
  writeFileSync(
    importFile,
    Array.from(
      { length: Math.ceil(size.pairs / 10) },
      (_, at) => `${JSON.stringify({ prompt: `A question ${at}?`, chosen: `good ${at}`, rejected: 'bad' })}\n`,
    ).join(''),
  )
  place = { size, dataFolder, importFile }
  app = await createApp({ dataFolder })
}, PATIENCE_MS)
afterAll(async () => {
  await app.close('continue')
  rmSync(place.dataFolder, { recursive: true, force: true })
})

/** How slow this processor is beside that one; 1 where it is faster. */
function slowness(): number {
  const before = process.threadCpuUsage()
  let hash = ''
  for (let round = 0; round < 20_000; round += 1)
    hash = createHash('sha256').update(hash).update(JSON.stringify({ round, hash })).digest('hex')
  const spent = process.threadCpuUsage(before)
  return Math.max(1, (spent.user + spent.system) / 1000 / CALIBRATION_MS)
}

test('a call asks of every run there is, unless it says how many', () => {
  expect(contract['runs.list'].input.parse({}).limit).toBeNull()
  const refused = (count: number): readonly string[] =>
    contract['comparisons.get'].input
      .safeParse({ runIds: Array.from({ length: count }, (_, index) => largeRunId(index)), metric: 'eval/loss' })
      .error?.issues.map((issue) => issue.message) ?? []
  expect(refused(10_000)).toEqual([])
  expect(refused(10_001)).toEqual(['10000 runs can be compared at once, not more: choose fewer'])
})

test(
  'every run is listed and compared',
  async () => {
    const client = inProcess(app.handlers)
    const runs = await client.call('runs.list', {})
    expect(runs).toHaveLength(size.runs)
    expect(runs.filter((run) => run.state !== 'finished')).toEqual([]) // what is measured is an app at rest
    expect(await client.call('runs.list', { limit: 3 })).toHaveLength(3)
    const { groups } = await client.call('comparisons.get', {
      runIds: runs.map((run) => run.runId),
      metric: 'eval/loss',
    })
    expect(groups.flatMap((group) => group.runIds).toSorted()).toEqual(runs.map((run) => run.runId).toSorted())
  },
  PATIENCE_MS,
)

test(
  'no call of the contract holds the process',
  async () => {
    const seen = new Set<string>()
    const held: string[] = []
    for await (const { name, input, call, longestCpuMs, answer } of gaugeCalls(app, place)) {
      seen.add(name)
      if (answer === 'internal' || (CALLS_THAT_DELETE.includes(name) && answer !== 'ok'))
        held.push(`${call}: ${answer}`)
      if (longestCpuMs <= LIMIT_MS || longestCpuMs <= LIMIT_MS * slowness()) continue
      // Once more: the first time, code is compiled. What deletes cannot be asked twice.
      const again = CALLS_THAT_DELETE.includes(name) ? longestCpuMs : (await gaugeCall(app, name, input)).longestCpuMs
      if (again > LIMIT_MS * slowness()) held.push(`${call}: ${again.toFixed(0)} ms`)
    }
    expect(held).toEqual([])
    expect([...seen].toSorted()).toEqual(Object.keys(contract).toSorted())
  },
  PATIENCE_MS,
)
