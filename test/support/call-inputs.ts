import path from 'node:path'
import type { CallName, Input } from '../../shared/contract.ts'
import type { GenerationId } from '../../shared/contract/playground.ts'
import type { DatasetId, JobId, ModelId, RunId } from '../../shared/domain.ts'
import { LARGE_DATASET, LARGE_PERSON, largeRunId, type LargeSize } from './large-data.ts'

/** Where the calls are made: a folder of `makeLargeData`, and a file to import. */
export interface Place {
  readonly size: LargeSize
  readonly dataFolder: string
  readonly importFile: string
}

export const CALLS_THAT_DELETE: readonly CallName[] = ['runs.delete', 'datasets.delete', 'trash.empty']

/** What a call is asked, by a word or two that tell the variants apart; '' where there is one. */
type Inputs<N extends CallName> = Readonly<Record<string, Input<N>>>

const datasetId = LARGE_DATASET
const who = { datasetId, annotatorId: LARGE_PERSON as never } // an id by its name
const one = <T>(input: T): Readonly<Record<string, T>> => ({ '': input })
const noJob = 'none' as JobId // there is none
const noModel = 'none' as ModelId
const noGeneration = 'none' as GenerationId
const first: RunId = largeRunId(0)
const second: RunId = largeRunId(1)
const allRuns = ({ size }: Place): RunId[] => Array.from({ length: size.runs }, (_, index) => largeRunId(index))
/** Of the runs that `runs.start` makes. */
const begun = (number: number): RunId => `begun-${number}` as RunId
const request = (seeds: number[]): Input<'runs.start'>['request'] => ({
  method: 'sft',
  model: { kind: 'new', preset: 'nano', tokenizer: { kind: 'byte' } },
  data: { datasetId: datasetId as DatasetId },
  seeds,
})

/**
 * An input for every call of the contract, in an order in which they can be made one after another: what deletes comes
 * last. A call that is missing here does not compile. What would start other programs for minutes is asked something
 * that is refused after all of the app's own work.
 */
export const callInputs: { readonly [N in CallName]: (place: Place) => Inputs<N> } = {
  'settings.set': () => one({ queuePaused: true }),
  'settings.get': () => one({}),
  'system.info': () => one({}),
  'system.log': () => one({ lines: 10_000 }),
  'system.verify': () => one({}),
  'system.troubles': () => one({}),
  'algorithms.list': () => one({}),
  'annotators.list': () => one({}),
  'annotators.add': () => one({ name: 'Zoë' }),
  'datasets.list': () => one({}),
  'labels.progress': () => one(who),
  'labels.queue': ({ size }) => ({
    '': { ...who, filter: {} },
    ties: { ...who, filter: { only: 'ties' } },
    'disagreement, back': { ...who, filter: { only: 'disagreement' }, fromIndex: size.pairs - 1, direction: 'back' },
    search: { ...who, filter: { only: 'all', search: 'wizards over seven' } },
    'search without a match': { ...who, filter: { only: 'all', search: 'nothing has this' } },
  }),
  'labels.item': ({ size }) => one({ ...who, pairId: `pair-${size.pairs >> 1}` }),
  'labels.add': () =>
    one({
      ...who,
      pairId: 'pair-5',
      outcome: 'a',
      strength: null,
      shownOrder: 'ab',
      durationMs: 5,
      clientKey: 'a-client-key',
    }),
  'labels.undo': () => one({ ...who, clientKey: 'an-undo-key' }),
  'labels.redo': () => one({ ...who, clientKey: 'a-redo-key' }),
  'labels.flag': () => one({ ...who, pairId: 'pair-6', flagged: true, clientKey: 'a-flag-key' }),
  'labels.history': ({ size }) => ({
    '': who,
    'of a file, far back': {
      datasetId,
      annotatorId: 'first' as never,
      limit: 1000,
      offset: Math.max(0, size.pairs - 1000),
    },
  }),
  'labels.habits': () => ({ '': who, 'of a file': { datasetId, annotatorId: 'first' as never } }),
  'datasets.get': () => one({ datasetId }),
  'datasets.agreement': () => one({ datasetId }),
  'datasets.rows': ({ size }) => ({
    'far down': { datasetId, offset: Math.max(0, size.pairs - 500), limit: 500 },
    labeled: { datasetId, only: 'labeled', offset: size.pairs >> 1 },
    unlabeled: { datasetId, only: 'unlabeled' },
    disagreement: { datasetId, only: 'disagreement' },
    'empty-answer': { datasetId, only: 'empty-answer' },
    noted: { datasetId, only: 'noted' },
    search: { datasetId, search: 'seven wizards', only: 'labeled' },
  }),
  'datasets.report': () => one({ datasetId }),
  'datasets.leftOut': () => one({ datasetId }),
  'datasets.warnings': () => one({ datasetId }),
  'datasets.update': () => one({ datasetId, guideline: 'Prefer the true one.' }),
  'datasets.export': () => ({
    preferences: { datasetId, format: 'preferences' },
    'pairs-with-labels': { datasetId, format: 'pairs-with-labels' },
    'label-events': { datasetId, format: 'label-events' },
  }),
  'datasets.setSplit': () => one({ datasetId, seed: 11, validation: 0.2, test: 0.1 }),
  'datasets.inspect': ({ importFile }) => one({ path: importFile, limit: 200 }),
  'datasets.import': ({ importFile }) => one({ path: importFile }),
  'imports.recognize': ({ importFile }) => one({ path: importFile }),
  'imports.preview': ({ importFile }) => one({ path: importFile, kind: 'contrast-groups' }),
  'imports.release': ({ dataFolder }) => one({ path: path.join(dataFolder, 'none') }),
  'datasets.importJob': () => one({ jobId: noJob }),
  'datasets.importJobs': () => one({}),
  'datasets.cancelImport': () => one({ jobId: noJob }),
  'samples.list': () => one({}),
  'samples.open': () => one({ sampleId: 'none' }),
  'segments.row': () => one({ datasetId, index: 0 }),
  'worlds.list': () => one({}),
  'segments.estimateCollection': () => one({ world: 'lqr' }),
  'segments.startCollecting': () => one({ world: 'lqr', segments: 40, name: 'Collected' }),
  'segments.collectJobs': () => one({}),
  'segments.collectJob': () => one({ jobId: noJob }),
  'segments.cancelCollecting': () => one({ jobId: noJob }),
  'segments.collect': () => one({ world: 'lqr', pairs: 20, name: 'Collected' }),
  'segments.import': ({ dataFolder }) => one({ path: path.join(dataFolder, 'none.jsonl'), name: 'none' }),
  'segments.export': () => one({ datasetId, format: 'segments-jsonl' }),
  'rankings.import': ({ dataFolder }) => one({ path: path.join(dataFolder, 'none') }),
  'rankings.queries': () => one({ datasetId, search: 'wizards' }),
  'rankings.query': () => one({ datasetId, index: 0 }),
  'rankings.collection': () => one({ datasetId }),
  'rankings.documents': () => one({ datasetId, docIds: ['none'] }),
  'rankings.document': () => one({ datasetId, docId: 'none' }),
  'rankings.find': () => one({ datasetId, search: 'wizards' }),
  'rankings.orders': () => one({ datasetId, index: 0 }),
  'rankings.rankers': () => one({ datasetId }),
  'rankings.cancel': () => one({ datasetId }),
  'unpaired.import': ({ dataFolder }) => one({ path: path.join(dataFolder, 'none.jsonl') }),
  'texts.rows': () => one({ datasetId }),
  'texts.import': ({ dataFolder }) => one({ path: path.join(dataFolder, 'none.txt') }),
  'runs.list': () => one({}),
  'runs.get': () => one({ runId: first }),
  'runs.metrics': () => ({ '': { runId: first }, whole: { runId: first, maxPoints: 100_000 } }),
  'runs.log': () => one({ runId: first }),
  'runs.samples': () => one({ runId: first }),
  'runs.calibration': () => one({ runIds: [first] }),
  'runs.check': () => ({
    '': { request: request([1, 2, 3]) },
    'other split': {
      request: {
        ...request([1]),
        data: { datasetId: datasetId as DatasetId, split: { seed: 5, validation: 0.1, test: 0.1 } },
      },
    },
  }),
  'runs.tokens': () => one({ request: request([1, 1]) }),
  'runs.estimate': () => one({ request: request([1, 1]) }),
  'runs.cancelEstimate': () => one({ asker: 'nobody' }),
  'runs.start': () => one({ request: { ...request([1, 2, 3]), name: 'Begun' } }),
  'runs.request': () => one({ runId: first }),
  'runs.setNote': () => one({ runId: first, note: 'seen' }),
  'runs.checkpoint': () => one({ runId: first }),
  'runs.export': ({ dataFolder }) => one({ runId: first, path: path.join(dataFolder, 'exported') }),
  'queue.pause': () => one({ paused: true }),
  'queue.move': () => one({ runId: begun(3), position: 1 }),
  'runs.resume': () => one({ runId: begun(1) }),
  'runs.stop': () => ({
    '': { runId: begun(1), mode: 'stop' },
    again: { runId: begun(2), mode: 'stop' },
    'and again': { runId: begun(3), mode: 'stop' },
  }),
  'comparisons.get': (place) => ({
    t: { runIds: allRuns(place), metric: 'eval/loss' },
    'a curve of every step': { runIds: allRuns(place), metric: 'train/loss', at: 'best' },
    bootstrap: { runIds: allRuns(place), metric: 'train/loss', interval: 'bootstrap' },
    'each run alone': { runIds: allRuns(place), metric: 'eval/loss', groupBy: 'none' },
  }),
  'matches.start': () =>
    one({
      players: [
        { kind: 'data', answers: 'chosen' },
        { kind: 'run', runId: first },
      ],
      judge: { kind: 'length', target: 10 },
    }),
  'matches.list': () => one({}),
  'matches.get': () => one({ matchId: 'none' }),
  'matches.bouts': () => one({ matchId: 'none' }),
  'matches.cancel': () => one({ matchId: 'none' }),
  'matches.remove': () => one({ matchId: 'none' }),
  'comparisons.samples': (place) => one({ runIds: allRuns(place).slice(0, 50) }),
  'comparisons.items': (place) => one({ runIds: allRuns(place).slice(0, 50) }),
  'comparisons.table': (place) =>
    one({ runIds: allRuns(place), metric: 'eval/loss', format: 'csv', metrics: ['eval/loss', 'eval/accuracy'] }),
  'models.list': () => one({}),
  'models.get': () => one({ modelId: noModel }),
  'models.inspect': ({ dataFolder }) => one({ path: path.join(dataFolder, 'none') }),
  'models.add': () => one({ source: { kind: 'run', runId: first } }),
  'models.addJob': () => one({ jobId: noJob }),
  'models.addJobs': () => one({}),
  'models.cancelAdd': () => one({ jobId: noJob }),
  'models.verify': () => one({ modelId: noModel }),
  'models.rename': () => one({ modelId: noModel, name: 'none' }),
  'models.delete': () => one({ modelId: noModel }),
  'engines.list': () => one({}),
  'engines.cards': () => one({}),
  'engines.test': () => one({ seconds: 0 }),
  'engines.add': () => one({ engine: 'tensorflow' }),
  'engines.addWheels': () => one({ engine: 'tensorflow', wheels: ['/nowhere/none.whl'] }),
  'engines.remove': () => one({ engine: 'tensorflow' }),
  'engines.setAdapter': () => one({ adapter: null }),
  'engines.cancel': () => one({ jobId: noJob }),
  'watch.players': () => one({ runId: first }),
  'watch.act': () =>
    one({ world: 'lqr', player: { kind: 'script', script: 'weak' }, start: { seed: 1 }, from: 0, steps: 8 }),
  'watch.end': () => one({}),
  'playground.sources': () => one({}),
  'playground.generate': () =>
    one({ source: { kind: 'folder', path: '/nowhere/none' }, prompt: { kind: 'text', text: 'a' } }),
  'playground.cancel': () => one({ generationId: noGeneration }),
  'playground.get': () => one({ generationId: noGeneration }),
  'playground.keep': () => one({ left: noGeneration, right: null, into: { datasetId } }),
  'papers.list': () => one({}),
  'papers.report': () => one({ id: 'copg-bandit', form: 'quick' }),
  'papers.reproduce': () => one({ id: 'none' }),
  'papers.cancel': () => one({ id: 'none' }),
  'papers.bandit': () => one({}),
  'runs.delete': () => one({ runId: second }),
  'datasets.delete': () => one({ datasetId }),
  'trash.list': () => one({}),
  'trash.restore': () => one({ trashId: 'none' }),
  'trash.empty': () => one({}),
}
