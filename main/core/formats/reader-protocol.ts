// What the process that reads strange files is asked, and what it answers, over Node's channel between processes.
import type { Inspection, ImportMapping } from '../../../shared/contract/import-mapping.ts'
import type { ImportPreview, Recognition } from '../../../shared/contract/imports.ts'
import type { TokenPreview } from '../../../shared/contract/runs.ts'
import type { WireError } from '../../../shared/errors.ts'
import type { NewPart } from './parsed-rows.ts'
import type { ContrastOptions } from './contrast-reader.ts'
import type { InspectOptions } from './inspect.ts'
import type { PairPiece } from './read-pairs.ts'
import type { NpzOptions } from './read-segment-npz.ts'
import type { TokensAsked } from '../models/preview-tokens.ts'
import type { ModelReading } from '../models/read-model.ts'

/** The head of what an import as `kind` would read. */
export interface PreviewAsked {
  readonly path: string
  readonly kind: ImportPreview['kind']
  readonly texts: ContrastOptions
  readonly segments: NpzOptions
  /** Rows or queries. */
  readonly limit: number
}

/** Each job: what it is given, what it delivers on the way, and how it ends. */
export interface ReaderJobs {
  inspect: {
    readonly input: { readonly path: string; readonly options: InspectOptions }
    readonly piece: never
    readonly result: Inspection
  }
  recognize: { readonly input: { readonly path: string }; readonly piece: never; readonly result: Recognition }
  preview: { readonly input: PreviewAsked; readonly piece: never; readonly result: ImportPreview }
  pairs: {
    readonly input: { readonly path: string; readonly mapping: ImportMapping }
    readonly piece: PairPiece
    readonly result: null
  }
  texts: {
    readonly input: { readonly path: string; readonly options: ContrastOptions }
    readonly piece: readonly NewPart[]
    readonly result: null
  }
  segments: {
    readonly input: { readonly path: string; readonly options: NpzOptions }
    readonly piece: readonly NewPart[]
    readonly result: null
  }
  unpaired: { readonly input: { readonly path: string }; readonly piece: readonly NewPart[]; readonly result: null }
  rankings: { readonly input: { readonly path: string }; readonly piece: readonly NewPart[]; readonly result: null }
  model: { readonly input: { readonly folder: string }; readonly piece: never; readonly result: ModelReading }
  tokens: {
    readonly input: TokensAsked
    readonly piece: never
    readonly result: TokenPreview
  }
  hash: {
    readonly input: { readonly folder: string }
    readonly piece: { readonly doneBytes: number; readonly totalBytes: number }
    readonly result: string
  }
}
export type ReaderJobName = keyof ReaderJobs

/** App → reader. One job at a time; `more` asks for a piece beyond those that may wait unread. */
export type ReaderOrder =
  | { readonly type: 'job'; readonly name: ReaderJobName; readonly input: unknown }
  | { readonly type: 'more' }

/** Reader → app. `alive` comes as long as the process turns at all. */
export type ReaderMessage =
  | { readonly type: 'ready' }
  | { readonly type: 'alive' }
  | { readonly type: 'piece'; readonly piece: unknown }
  | { readonly type: 'done'; readonly result: unknown }
  | { readonly type: 'failed'; readonly error: WireError }

/** Pieces that may be under way at once: one is written to the disk while the next is read. */
export const PIECES_AHEAD = 2
export const ALIVE_INTERVAL_MS = 500
/** Said on standard error by a reader that ends itself for its size. */
export const OVER_MEMORY = 'pairlab-reader: over memory'
