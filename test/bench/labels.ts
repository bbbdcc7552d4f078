// How long a key press waits at 100,000 pairs: node test/bench/labels.ts [pairs]. Everything is measured through the
// same functions as the labeling page's calls; labels.add includes the disk.
import { rmSync } from 'node:fs'
import { createEventBus } from '../../main/app/events.ts'
import { labelHandlers } from '../../main/app/handlers/labels.ts'
import type { HandlerDeps } from '../../main/app/handlers/deps.ts'
import { addAnnotator } from '../../main/app/store/annotators.ts'
import type { ImportedLabel } from '../../main/core/formats/parsed-rows.ts'
import { insertImportedLabels } from '../../main/app/store/labels.ts'
import { openStore } from '../../main/app/store/open.ts'
import { dispatch, type Handlers } from '../../shared/rpc.ts'
import { addDataset, temporaryFolder } from '../support/filled-store.ts'
import { createRandom } from '../support/seeded.ts'

const pairs = Number(process.argv[2] ?? 100_000)
const rounds = 200
const folder = temporaryFolder()
const store = openStore(folder)
addAnnotator(store.db, 'Eva', 1)
time('import of the pairs', () => addDataset(store.db, folder, 'set', pairs))
const random = createRandom(1)
time('import of 3 labels a pair', () => {
  for (let from = 0; from < pairs; from += 1000) {
    const labels: ImportedLabel[] = []
    for (let pairIndex = from; pairIndex < Math.min(from + 1000, pairs); pairIndex += 1) {
      for (const annotator of ['annotator1', 'annotator2', 'annotator3'])
        labels.push({ pairIndex, annotator, outcome: random() < 0.6 ? 'a' : 'b', strength: null })
    }
    insertImportedLabels(store.db, folder, 'set', labels, 1)
  }
})
// Only what label handlers touch; the services of runs and imports play no part here.
const deps = { db: store.db, dataFolder: folder, events: createEventBus() } as unknown as HandlerDeps
const handlers = labelHandlers(deps) as unknown as Handlers
const who = { datasetId: 'set', annotatorId: 'Eva' }

async function measure(title: string, call: (round: number) => [string, unknown]): Promise<void> {
  const first = await once(call(0))
  const times: number[] = []
  for (let round = 1; round <= rounds; round += 1) times.push(await once(call(round)))
  times.sort((x, y) => x - y)
  const at = (share: number): string =>
    (times[Math.floor(share * (times.length - 1))] ?? Number.NaN).toFixed(2).padStart(8)
  console.log(
    `${title.padEnd(44)} median ${at(0.5)} ms   95 % ${at(0.95)} ms   worst ${at(1)} ms   first ${first.toFixed(1).padStart(6)} ms`,
  )
}

async function once([name, input]: [string, unknown]): Promise<number> {
  const start = performance.now()
  const reply = await dispatch(handlers, name, input)
  const elapsed = performance.now() - start
  if (!reply.ok) throw new Error(reply.error.message)
  return elapsed
}

function time(title: string, work: () => unknown): void {
  const start = performance.now()
  work()
  console.log(`${title.padEnd(44)} ${(performance.now() - start).toFixed(0)} ms`)
}

const at = (round: number): number => (round * 7919) % pairs
const filters = ['unlabeled', 'all', 'labeled', 'skipped', 'flagged', 'ties', 'disagreement']
for (const only of filters)
  await measure(`labels.queue ${only}`, (round) => ['labels.queue', { ...who, filter: { only }, fromIndex: at(round) }])
await measure('labels.queue with the same search', () => [
  'labels.queue',
  { ...who, filter: { only: 'all', search: 'number 49' } },
])
await measure('labels.queue with another search each time', (round) => [
  'labels.queue',
  { ...who, filter: { only: 'all', search: `number ${round}` } },
])
await measure('labels.add', (round) => [
  'labels.add',
  {
    ...who,
    pairId: `pair-${at(round)}`,
    outcome: 'a',
    strength: null,
    shownOrder: 'ab',
    durationMs: 5,
    clientKey: `client-key-${round}`,
  },
])
await measure('labels.flag', (round) => ['labels.flag', { ...who, pairId: `pair-${at(round)}`, flagged: true }])
await measure('labels.undo', () => ['labels.undo', who])
await measure('labels.redo', () => ['labels.redo', who])
await measure('labels.progress', () => ['labels.progress', who])
await measure('labels.history', () => ['labels.history', who])
await measure('labels.habits of 100,000 imported answers', () => [
  'labels.habits',
  { ...who, annotatorId: 'annotator1' },
])
store.close()
time('opening the store again, with its check', () => openStore(folder).close())
rmSync(folder, { recursive: true })
