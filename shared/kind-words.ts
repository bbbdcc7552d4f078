import type { DataKind } from './data-kinds.ts'

/** What people call the things that a data set of a kind holds, so that no page counts queries as pairs. */
export interface KindWords {
  readonly items: string
  /** What is never torn apart by a split. */
  readonly group: string
  readonly groups: string
  /** Whether people label it, and labels are read in training. */
  readonly labeled: boolean
}

export const KIND_WORDS: Readonly<Record<DataKind, KindWords>> = {
  'response-pairs': { items: 'pairs', group: 'prompt', groups: 'prompts', labeled: true },
  'unpaired-responses': { items: 'answers', group: 'prompt', groups: 'prompts', labeled: true },
  'segment-pairs': { items: 'pairs of segments', group: 'episode', groups: 'episodes', labeled: true },
  rankings: { items: 'queries', group: 'query', groups: 'queries', labeled: false },
  'contrast-groups': { items: 'texts', group: 'text', groups: 'texts', labeled: false },
}
