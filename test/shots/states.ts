// What `npm run shots` looks at beside the pages as they stand: the other kinds of data, what opens over a page, runs that
// went too fast or are many, and the windows of small screens and large type.
import type { Page } from 'playwright'
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

/** Makes what the states show. @param request of a small run that works @param wait until runs have ended */
export async function makeStates(
  client: Client,
  given: {
    readonly request: RunRequestInput
    readonly runIds: readonly RunId[]
    readonly segmentsId: DatasetId
    readonly pairsId: DatasetId
    readonly wait: (runIds: readonly RunId[]) => Promise<void>
  },
): Promise<readonly State[]> {
  const { request, runIds, segmentsId, pairsId, wait } = given
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
  await wait([...ranked, tooFast!])
  const [run] = runIds
  const all = [...runIds, ...many].join(',')
  return [
    { name: 'lists', place: `/data/${lists}` },
    { name: 'lists-query', place: `/data/${lists}?query=2` },
    { name: 'lists-documents', place: `/data/${lists}`, open: press('Documents') },
    { name: 'texts', place: `/data/${texts}` },
    { name: 'train-lists', place: `/train?data=${lists}` },
    { name: 'run-ranker', place: `/runs/${ranked[0]}` },
    { name: 'run-too-fast', place: `/runs/${tooFast}` },
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
