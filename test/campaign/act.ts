// Does what a person can do with data, labels and runs, in a seeded order, until it is killed. Before and after each deed
// it says so on its standard output, so that whoever killed it knows what was acknowledged.
// Arguments: data folder, folder for files to import, seed, refusals by a full disk after which it ends (0: never).
import { writeFileSync, writeSync } from 'node:fs'
import path from 'node:path'
import { createApp } from '../../main/app/app.ts'
import { ENDED_STATES } from '../../shared/domain.ts'
import { AppError, toWire } from '../../shared/errors.ts'
import { inProcess } from '../../shared/rpc.ts'
import { createRandom } from '../support/seeded.ts'
import { TINY_TRAINING, tinyRequest } from '../support/tiny-app.ts'
import type { Deed, Told } from './deeds.ts'

const [dataFolder, filesFolder, seed, fullLimit] = process.argv.slice(2)
if (dataFolder === undefined || filesFolder === undefined)
  throw new Error('usage: <data folder> <folder for files> <seed> <refusals>')
const random = createRandom(Number(seed))
const below = (count: number): number => Math.floor(random() * count)
const OUTCOMES = ['a', 'b', 'tie', 'both-bad', 'skip'] as const

function say(told: Told): void {
  writeSync(1, `${JSON.stringify(told)}\n`)
}

const app = await createApp({ dataFolder }).catch((error: unknown) => {
  const { code, message } = toWire(error)
  say({ phase: code === 'disk-full' ? 'refused' : 'bad', code, message })
  return process.exit(0)
})
const client = inProcess(app.handlers)
let made = 0
let refusedByDisk = 0

/** Says the deed, does it, and says what came of it. */
async function perform(deed: Deed, work: () => Promise<Partial<Deed> | void>): Promise<void> {
  say({ phase: 'try', deed })
  try {
    say({ phase: 'did', deed: { ...deed, ...(await work()) } as Deed }) // the same deed, with what it brought
  } catch (error) {
    const { code, message } = toWire(error)
    say({ phase: code === 'internal' ? 'bad' : 'refused', code, message, deed })
    if (code === 'disk-full') refusedByDisk += 1
  }
}

async function importFile(): Promise<void> {
  const rows = 4 + below(50)
  const labeled = random() < 0.5
  const name = `set ${seed}-${(made += 1)}`
  const file = path.join(filesFolder!, `${name}.jsonl`)
  writeFileSync(
    file,
    Array.from(
      { length: rows },
      (_none, row) =>
        `${JSON.stringify({ prompt: `${name}: question ${row >> 1}?`, ...(labeled ? { chosen: `good ${row}`, rejected: `bad ${row}` } : { response_a: `one ${row}`, response_b: `two ${row}` }) })}\n`,
    ).join(''),
  )
  await perform({ op: 'import', name, rows, labeled }, async () => {
    const { jobId } = await client.call('datasets.import', { path: file, name })
    for (;;) {
      const job = await client.call('datasets.importJob', { jobId })
      if (job.state === 'finished') return { datasetId: job.datasetId! }
      if (job.state !== 'running')
        throw new AppError({
          code: /disk is full|disk-full/i.test(job.error?.message ?? '') ? 'disk-full' : 'dataset-invalid',
          message: job.error?.message ?? job.state,
          hint: job.error?.hint ?? '',
        })
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  })
}

async function annotatorNamed(name: string): Promise<string> {
  const known = (await client.call('annotators.list', {})).find((one) => one.name === name && !one.imported)
  return known?.annotatorId ?? (await client.call('annotators.add', { name })).annotatorId
}

async function step(): Promise<void> {
  const sets = await client.call('datasets.list', {})
  const set = sets[below(sets.length)]
  if (set === undefined) return importFile()
  const { datasetId } = set
  const annotatorId = (await annotatorNamed(random() < 0.7 ? 'Ann' : 'Ben')) as never // an id of the app's
  const pair = (await client.call('datasets.rows', { datasetId, offset: below(set.itemCount), limit: 1 })).rows[0]
  const who = { datasetId, annotatorId }
  const dice = random() * 100
  const key = `key-${seed}-${(made += 1)}`
  if (dice < 55 && pair !== undefined) {
    const outcome = OUTCOMES[below(OUTCOMES.length)] ?? 'a'
    return perform({ op: 'answer', ...who, pairId: pair.pairId, key, outcome }, async () => {
      await client.call('labels.add', {
        ...who,
        pairId: pair.pairId,
        outcome,
        strength: null,
        comment: '',
        shownOrder: 'ab',
        durationMs: 5,
        clientKey: key,
      })
    })
  }
  if (dice < 66) {
    const op = dice < 62 ? 'undo' : 'redo'
    return perform({ op, ...who }, async () => {
      const { pairId } = await client.call(`labels.${op}`, { ...who, clientKey: key } as never) // both take the same
      return pairId === null
        ? { pairId }
        : { pairId, outcome: (await client.call('labels.item', { ...who, pairId })).current?.outcome ?? null }
    })
  }
  if (dice < 71 && pair !== undefined) {
    const flagged = random() < 0.5
    return perform(
      { op: 'flag', ...who, pairId: pair.pairId, flagged },
      async () =>
        void (await client.call('labels.flag', { ...who, pairId: pair.pairId, flagged, clientKey: key } as never)),
    ) // with the key where the call takes one
  }
  if (dice < 74)
    return perform(
      { op: 'describe', datasetId, guideline: key },
      async () => void (await client.call('datasets.update', { datasetId, guideline: key })),
    )
  if (dice < 79) {
    const spec = { seed: below(1000), validation: 0.1 * below(3), test: 0.1 * (1 + below(3)) }
    return perform(
      { op: 'split', datasetId, ...spec },
      async () => void (await client.call('datasets.setSplit', { datasetId, ...spec })),
    )
  }
  if (dice < 86) return importFile()
  if (dice < 89 && sets.length > 3)
    return perform({ op: 'delete', datasetId }, async () => void (await client.call('datasets.delete', { datasetId })))
  if (dice < 92)
    return perform(
      { op: 'export', datasetId },
      async () => void (await client.call('datasets.export', { datasetId, format: 'pairs-with-labels' })),
    )
  if (dice < 94) {
    const slots = 1 + below(3)
    return perform({ op: 'setting', slots }, async () => void (await client.call('settings.set', { slots })))
  }
  return actOnRuns(datasetId)
}

async function actOnRuns(datasetId: string): Promise<void> {
  const runs = await client.call('runs.list', {})
  const live = runs.filter((run) => !ENDED_STATES.includes(run.state))
  const run = runs[below(runs.length)]
  const dice = random()
  if (run === undefined || (live.length === 0 && dice < 0.3)) {
    return perform({ op: 'start', datasetId }, async () => ({
      runIds: [
        ...(
          await client.call('runs.start', {
            request: tinyRequest(datasetId, { training: { ...TINY_TRAINING, steps: 40 } }),
          })
        ).runIds,
      ],
    }))
  }
  const { runId } = run
  if (dice < 0.5)
    return perform(
      { op: 'note', runId },
      async () => void (await client.call('runs.setNote', { runId, note: `note ${made}` })),
    )
  if (live.includes(run))
    return perform(
      { op: 'stop', runId },
      async () => void (await client.call('runs.stop', { runId, mode: dice < 0.7 ? 'stop' : 'stop-and-save' })),
    )
  if (run.resumable && dice < 0.8)
    return perform({ op: 'resume', runId }, async () => void (await client.call('runs.resume', { runId })))
  return perform({ op: 'delete-run', runId }, async () => void (await client.call('runs.delete', { runId })))
}

say({ phase: 'ready' })
while (Number(fullLimit) === 0 || refusedByDisk < Number(fullLimit)) {
  try {
    await step()
  } catch (error) {
    const { code, message } = toWire(error)
    if (code !== 'disk-full') say({ phase: 'bad', code, message })
    refusedByDisk += 1
  }
  await new Promise((resolve) => setTimeout(resolve, 1)) // the supervisor looks at its runs in between
}
await app.close('continue').catch((error: unknown) => {
  const { code, message } = toWire(error)
  if (code !== 'disk-full') say({ phase: 'bad', code, message })
})
process.exit(0)
