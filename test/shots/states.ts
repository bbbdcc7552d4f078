// What `npm run shots` looks at beside the pages as they stand: the other kinds of data, what opens over a page, runs that
// went too fast or are many, and the windows of small screens and large type.
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import type { Page } from 'playwright'
import { lockOwner } from '../../main/base/run-folder/lock.ts'
import type { DatasetId, RunId } from '../../shared/domain.ts'
import type { RunRequestInput } from '../../shared/run-spec.ts'
import type { Client } from '../../shared/rpc.ts'

export interface Size {
  readonly width: number
  readonly height: number
  /** Of type, as a browser's zoom has it: the window is that much smaller. */
  readonly zoom?: number
}

export interface State {
  readonly name: string
  readonly place: string
  /** What happens once, before the first picture. */
  readonly before?: () => void
  /** What is done there before the picture. */
  readonly open?: (page: Page) => Promise<void>
  readonly sizes?: readonly Size[]
}

/** 1440 × 900 at 200 %. */
const ZOOMED: Size = { width: 720, height: 450, zoom: 2 }
const NARROW: Size = { width: 800, height: 900 }

const press =
  (...names: readonly (string | RegExp)[]) =>
  async (page: Page): Promise<void> => {
    for (const name of names)
      await page
        .getByRole('button', { name })
        .or(page.getByRole('menuitem', { name }))
        .first()
        .click()
  }
const key =
  (name: string) =>
  (page: Page): Promise<void> =>
    page.keyboard.press(name)

async function sample(client: Client, sampleId: string): Promise<DatasetId> {
  const { datasetId } = await client.call('samples.open', { sampleId })
  if (datasetId === null) throw new Error(`${sampleId} is not read at once`)
  return datasetId
}

/** A row that counts for more than a 32-bit number holds: the run that meets it ends, at no step foreseen. */
async function withOneHeavyRow(client: Client, folder: string): Promise<DatasetId> {
  const file = path.join(folder, 'one heavy row.jsonl')
  const row = (at: number): object => ({
    prompt: `How much is ${at} and one?`,
    chosen: `${at + 1}`,
    rejected: 'I do not know.',
    weight: at === 17 ? 3e38 : 1,
  })
  writeFileSync(file, Array.from({ length: 40 }, (_none, at) => `${JSON.stringify(row(at))}\n`).join(''))
  const { jobId } = await client.call('datasets.import', { path: file, name: 'One heavy row' })
  for (;;) {
    const job = await client.call('datasets.importJob', { jobId })
    if (job.datasetId !== null) return job.datasetId
    if (job.error !== null) throw new Error(job.error.message)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

/** Holds the trainer of a run where it evaluates, for as long as pictures are taken. → lets go of it */
async function heldWhileEvaluating(client: Client, runsFolder: string, runId: RunId): Promise<() => void> {
  for (;;) {
    const { state } = await client.call('runs.get', { runId })
    const owner = lockOwner(path.join(runsFolder, runId))
    if (state === 'evaluating' && owner !== null) {
      process.kill(owner.pid, 'SIGSTOP')
      return () => process.kill(owner.pid, 'SIGCONT')
    }
    if (state === 'finished') throw new Error('It evaluated too fast to be held.')
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

/** Makes what the states show. @param request of a small run that works @param wait until runs have ended */
export async function makeStates(
  client: Client,
  given: {
    readonly request: RunRequestInput
    readonly runIds: readonly RunId[]
    readonly segmentsId: DatasetId
    readonly pairsId: DatasetId
    readonly dataFolder: string
    readonly wait: (runIds: readonly RunId[]) => Promise<void>
  },
): Promise<readonly State[]> {
  const { request, runIds, segmentsId, pairsId, dataFolder, wait } = given
  const samples = await client.call('samples.list', {})
  const of = (kind: string): string => samples.find((one) => one.kind === kind)!.sampleId
  const lists = await sample(client, of('rankings'))
  const texts = await sample(client, of('contrast-groups'))
  const start = async (changes: Partial<RunRequestInput>): Promise<RunId[]> =>
    (await client.call('runs.start', { request: { ...request, ...changes } })).runIds
  const many: RunId[] = []
  for (const name of ['as it stands', 'again', 'once more'])
    many.push(
      ...(await start({
        name,
        seeds: [1, 2, 3, 4, 5, 6, 7],
        training: { ...request.training, steps: 0, samplePrompts: 0 },
      })),
    )
  await wait(many)
  const ranked = await start({
    method: 'pg-rank',
    name: 'ranker',
    model: { kind: 'networks' },
    data: { datasetId: lists },
    training: { steps: 20 },
    config: {},
    seeds: [1],
  })
  const [tooFast] = await start({ name: 'too fast', seeds: [1], training: { ...request.training, learningRate: 10 } })
  const [failed] = await start({
    name: 'one row too heavy',
    seeds: [1],
    data: { datasetId: await withOneHeavyRow(client, dataFolder) },
    training: { ...request.training, learningRate: 10, clipNorm: 0, samplePrompts: 0 },
  })
  await wait([...ranked, tooFast!, failed!])
  const [judging] = await start({
    name: 'being judged',
    seeds: [1],
    training: { ...request.training, steps: 1, evalPairs: 9999 },
  })
  const runsFolder = path.join(dataFolder, 'runs')
  const letGo = await heldWhileEvaluating(client, runsFolder, judging!)
  const [run] = runIds
  const all = [...runIds, ...many].join(',')
  return [
    { name: 'lists', place: `/data/${lists}` },
    { name: 'lists-query', place: `/data/${lists}?query=2` },
    { name: 'lists-documents', place: `/data/${lists}`, open: (page) => page.getByText('Documents', { exact: true }).click() },
    { name: 'texts', place: `/data/${texts}` },
    { name: 'train-lists', place: `/train?data=${lists}` },
    { name: 'run-ranker', place: `/runs/${ranked[0]}` },
    { name: 'run-evaluating', place: `/runs/${judging}` },
    { name: 'run-too-fast', place: `/runs/${tooFast}`, before: letGo },
    { name: 'run-failed', place: `/runs/${failed}` },
    { name: 'runs-many', place: '/runs' },
    { name: 'compare-many', place: `/compare?runs=${all}` },
    { name: 'collect', place: '/data?collect=reach' },
    { name: 'dialog-keys', place: `/label/${pairsId}`, open: key('?') },
    { name: 'dialog-palette', place: '/', open: key('Control+k') },
    { name: 'dialog-export', place: `/runs/${run}`, open: press('More actions', /^Export model/) },
    { name: 'dialog-delete', place: `/runs/${run}`, open: press('More actions', /^Delete/) },
    { name: 'dialog-versus', place: `/compare?runs=${runIds.join(',')}`, open: press('Versus') },
    { name: 'dialog-model', place: '/models', open: key('a') },
    { name: 'menu-baseline', place: `/compare?runs=${runIds.join(',')}`, open: press('Add a baseline') },
    ...[
      ['home', '/'],
      ['label', `/label/${pairsId}`],
      ['segments', `/label/${segmentsId}`],
      ['train', `/train?data=${pairsId}`],
      ['runs', '/runs'],
      ['run', `/runs/${run}`],
      ['compare', `/compare?runs=${runIds.join(',')}`],
      ['settings', '/settings'],
    ].map(([name, place]): State => ({ name: `small-${name}`, place: place!, sizes: [NARROW, ZOOMED] })),
  ]
}
