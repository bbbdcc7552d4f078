// What the rows of a view are made from, and what is counted on the way, whatever the kind of data.
import type { ExtraRecord, ItemRow, PreferenceRow, SplitName, UnpairedRow } from '../../../shared/data-kinds.ts'
import type { DataSpec } from '../../../shared/run-spec.ts'
import type { ItemEntry } from '../../core/formats/item-entry.ts'
import type { RecordReader } from '../store/records.ts'
import type { ReadableDb } from '../store/open.ts'

/** What of a data set the run's method can use. */
export interface ViewUse {
  /** Pairs whose answers are both bad. */
  readonly bothBad: boolean
  /** Answers that stand alone: each that was judged, or the good ones. */
  readonly answers?: 'judged' | 'good'
  /** Checkpoints are chosen while it trains: where the data have no validation side, one is cut from training. */
  readonly validates?: boolean
}

type Row = PreferenceRow | UnpairedRow | ItemRow | ExtraRecord

/** Null for a pair that is left out, or whose row nobody wants to see. */
export type Rows = Generator<Row | null>

export interface Totals {
  readonly counts: Record<SplitName, number>
  /** Cut from training to validate on. */
  cut: number
  labels: number
  preferred: number
  ties: number
  unlabeled: number
  bothBad: number
  /** Answers left out because every label that counts calls them bad. */
  badLeftOut: number
  desirable: number
  undesirable: number
  lacksRewards: boolean
}

export interface Source {
  readonly db: ReadableDb
  readonly spec: DataSpec
  readonly use: ViewUse
  /** Of an item that counts. @param given by the item itself, which stands above what is drawn */
  readonly sideOf: (pair: ItemEntry, given?: SplitName | null) => SplitName
  readonly records: RecordReader
  readonly totals: Totals
}
