import type { Outcome } from '../../shared/data-kinds.ts'
import type { Deed, Told } from './deeds.ts'

interface SetEntry {
  readonly rows: number
  guideline: string | null
  split: { readonly seed: number; readonly validation: number; readonly test: number } | null
}

/** What must be so, by what was acknowledged; and what one unacknowledged deed may have changed besides. */
export interface Ledger {
  readonly sets: Map<string, SetEntry>
  readonly deletedSets: Set<string>
  /** Outcome in force by `cellOf`; null where an answer was taken back. */
  readonly cells: Map<string, Outcome | null>
  readonly flags: Map<string, boolean>
  /** Keys of acknowledged answers, with their data set. */
  readonly keys: Map<string, string>
  readonly runs: Set<string>
  readonly deletedRuns: Set<string>
  /** Begun and neither acknowledged nor refused when the process ended. */
  pending: Deed | null
  readonly bad: string[]
  readonly counts: Record<string, number>
}

export function createLedger(): Ledger {
  return {
    sets: new Map(),
    deletedSets: new Set(),
    cells: new Map(),
    flags: new Map(),
    keys: new Map(),
    runs: new Set(),
    deletedRuns: new Set(),
    pending: null,
    bad: [],
    counts: {},
  }
}

export function cellOf(who: {
  readonly datasetId: string
  readonly annotatorId: string
  readonly pairId: string
}): string {
  return JSON.stringify([who.datasetId, who.annotatorId, who.pairId])
}

/** Takes down what one process told from its start to its end. */
export function note(ledger: Ledger, told: readonly Told[]): void {
  ledger.pending = null
  for (const { phase, deed, code, message } of told) {
    if (phase === 'bad') ledger.bad.push(`${deed?.op ?? 'opening'}: ${code ?? ''} ${message ?? ''}`)
    if (phase === 'try') ledger.pending = deed ?? null
    else ledger.pending = null
    if (phase !== 'did' || deed === undefined) continue
    ledger.counts[deed.op] = (ledger.counts[deed.op] ?? 0) + 1
    apply(ledger, deed)
  }
}

function apply(ledger: Ledger, deed: Deed): void {
  if (deed.op === 'import' && deed.datasetId !== undefined)
    ledger.sets.set(deed.datasetId, { rows: deed.rows, guideline: null, split: null })
  if (deed.op === 'answer') {
    ledger.cells.set(cellOf(deed), deed.outcome)
    ledger.keys.set(deed.key, deed.datasetId)
  }
  if ((deed.op === 'undo' || deed.op === 'redo') && deed.pairId != null)
    ledger.cells.set(cellOf({ ...deed, pairId: deed.pairId }), deed.outcome ?? null)
  if (deed.op === 'flag') ledger.flags.set(cellOf(deed), deed.flagged)
  if (deed.op === 'describe') Object.assign(ledger.sets.get(deed.datasetId) ?? {}, { guideline: deed.guideline })
  if (deed.op === 'split')
    Object.assign(ledger.sets.get(deed.datasetId) ?? {}, {
      split: { seed: deed.seed, validation: deed.validation, test: deed.test },
    })
  if (deed.op === 'delete') forgetSet(ledger, deed.datasetId)
  if (deed.op === 'start') for (const runId of deed.runIds ?? []) ledger.runs.add(runId)
  if (deed.op === 'delete-run') {
    ledger.runs.delete(deed.runId)
    ledger.deletedRuns.add(deed.runId)
  }
}

export function forgetSet(ledger: Ledger, datasetId: string): void {
  ledger.sets.delete(datasetId)
  ledger.deletedSets.add(datasetId)
  const belongs = (cell: string): boolean => (JSON.parse(cell) as string[])[0] === datasetId
  for (const map of [ledger.cells, ledger.flags])
    for (const cell of [...map.keys()]) if (belongs(cell)) map.delete(cell)
  for (const [key, set] of [...ledger.keys]) if (set === datasetId) ledger.keys.delete(key)
}
