import { z } from 'zod'
import { comparisonCalls } from './contract/comparisons.ts'
import { datasetCalls, importJob } from './contract/datasets.ts'
import { engineCalls, engineJob } from './contract/engines.ts'
import { importCalls } from './contract/imports.ts'
import { labelCalls } from './contract/labels.ts'
import { match, matchCalls } from './contract/matches.ts'
import { modelCalls, modelJob } from './contract/models.ts'
import { paperCalls, reproductionJob } from './contract/papers.ts'
import { playgroundCalls, playgroundEvents } from './contract/playground.ts'
import { collectionProgress, rankingCalls } from './contract/rankings.ts'
import { runCalls, runSummary, sampleItem } from './contract/runs.ts'
import { collectJob, segmentCalls } from './contract/segments.ts'
import { systemCalls } from './contract/system.ts'
import { textCalls } from './contract/texts.ts'
import { unpairedCalls } from './contract/unpaired.ts'
import { watchCalls } from './contract/watch.ts'
import { trashCalls } from './contract/trash.ts'
import { runId } from './domain.ts'
import { curveChange } from './metric-columns.ts'

/** Everything the app can do, and nothing else: each door serves exactly these calls. */
export const contract = {
  ...systemCalls,
  ...datasetCalls,
  ...importCalls,
  ...segmentCalls,
  ...labelCalls,
  ...modelCalls,
  ...engineCalls,
  ...runCalls,
  ...comparisonCalls,
  ...playgroundCalls,
  ...matchCalls,
  ...paperCalls,
  ...rankingCalls,
  ...textCalls,
  ...unpairedCalls,
  ...watchCalls,
  ...trashCalls,
} as const

export type CallName = keyof typeof contract
/** What a caller passes: fields with defaults may be left out. */
export type Input<N extends CallName> = z.input<(typeof contract)[N]['input']>
/** What a handler receives: defaults filled in. */
export type Parsed<N extends CallName> = z.output<(typeof contract)[N]['input']>
export type Output<N extends CallName> = z.output<(typeof contract)[N]['output']>

/** What the app tells without being asked. */
export const events = {
  'run.state': runSummary,
  /** What the log of a run adds to its curves, not thinned; at most four messages a second for each run. */
  'run.metrics': z.strictObject({ runId, changes: z.array(curveChange) }),
  'run.samples': z.strictObject({ runId, step: z.int(), items: z.array(sampleItem) }),
  'runs.changed': z.strictObject({}),
  'datasets.changed': z.strictObject({ datasetId: z.string().nullable() }),
  'labels.changed': z.strictObject({ datasetId: z.string(), annotatorId: z.string() }),
  'import.progress': importJob,
  /** A few times a second, while somebody waits for a collection of judged lists. */
  'rankings.progress': collectionProgress,
  'collect.progress': collectJob,
  'models.changed': z.strictObject({}),
  'model.progress': modelJob,
  'papers.progress': reproductionJob,
  'match.progress': match,
  'engines.changed': z.strictObject({}),
  /** At most four a second. */
  'engine.progress': engineJob,
  'settings.changed': z.strictObject({}),
  ...playgroundEvents,
  /** A request of the menu or the command line to the page: go to a place. */
  'ui.goto': z.strictObject({ path: z.string() }),
} as const

export type EventName = keyof typeof events
export type EventPayload<N extends EventName> = z.output<(typeof events)[N]>

/** Events are numbered without a gap; a client that misses one fetches afresh. */
export interface AppEvent<N extends EventName = EventName> {
  readonly seq: number
  readonly name: N
  readonly payload: EventPayload<N>
}
