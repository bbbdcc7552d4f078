import type { DataKind } from './data-kinds.ts'

/** What people call the things that a data set of a kind holds, so that no page counts queries as pairs. */
export interface KindWords {
  /** Of the kind itself. */
  readonly name: string
  readonly items: string
  /** What is never torn apart by a split. */
  readonly group: string
  readonly groups: string
  /** Whether people label it, and labels are read in training. */
  readonly labeled: boolean
}

export const KIND_WORDS: Readonly<Record<DataKind, KindWords>> = {
  'response-pairs': { name: 'text pairs', items: 'pairs', group: 'prompt', groups: 'prompts', labeled: true },
  'unpaired-responses': { name: 'single answers', items: 'answers', group: 'prompt', groups: 'prompts', labeled: true },
  'segment-pairs': {
    name: 'segment pairs',
    items: 'pairs of segments',
    group: 'episode',
    groups: 'episodes',
    labeled: true,
  },
  rankings: { name: 'judged lists', items: 'queries', group: 'query', groups: 'queries', labeled: false },
  'contrast-groups': { name: 'texts', items: 'texts', group: 'text', groups: 'texts', labeled: false },
}

/** What data of a kind are called where they come in. */
export const IMPORT_WORDS: Readonly<Record<DataKind, string>> = {
  'response-pairs': 'preference pairs',
  'unpaired-responses': 'single answers',
  'contrast-groups': 'texts',
  rankings: 'judged lists',
  'segment-pairs': 'segments',
}
