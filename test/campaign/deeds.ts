import type { Outcome } from '../../shared/data-kinds.ts'

/** What the acting process does, as it tells it: before with what is known then, after with what came of it. */
export type Deed =
  | {
      readonly op: 'import'
      readonly name: string
      readonly rows: number
      readonly labeled: boolean
      readonly datasetId?: string
    }
  | {
      readonly op: 'answer'
      readonly datasetId: string
      readonly annotatorId: string
      readonly pairId: string
      readonly key: string
      readonly outcome: Outcome
    }
  | {
      readonly op: 'undo' | 'redo'
      readonly datasetId: string
      readonly annotatorId: string
      readonly pairId?: string | null
      readonly outcome?: Outcome | null
    }
  | {
      readonly op: 'flag'
      readonly datasetId: string
      readonly annotatorId: string
      readonly pairId: string
      readonly flagged: boolean
    }
  | { readonly op: 'describe'; readonly datasetId: string; readonly guideline: string }
  | {
      readonly op: 'split'
      readonly datasetId: string
      readonly seed: number
      readonly validation: number
      readonly test: number
    }
  | { readonly op: 'delete'; readonly datasetId: string }
  | { readonly op: 'export'; readonly datasetId: string }
  | { readonly op: 'start'; readonly datasetId: string; readonly runIds?: readonly string[] }
  | { readonly op: 'stop' | 'resume' | 'delete-run' | 'note'; readonly runId: string }
  | { readonly op: 'setting'; readonly slots: number }

/** `refused`: the app said no, with an error that has a code of its own. */
export interface Told {
  readonly phase: 'ready' | 'try' | 'did' | 'refused' | 'bad'
  readonly deed?: Deed
  readonly code?: string
  readonly message?: string
}

/** Whole lines of what a process said; the last may have been cut by its end. */
export function readTold(said: string): Told[] {
  return said
    .slice(0, said.lastIndexOf('\n') + 1)
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Told) // our own child wrote it
}
