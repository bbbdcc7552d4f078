import type { ColumnRole, ImportMapping } from '../../shared/contract/import-mapping.ts'
import { toText, type Content } from '../../shared/data-kinds.ts'

/** Roles in the words of the page, in the order of the list. */
export const ROLE_WORDS: Readonly<Record<ColumnRole, string>> = {
  prompt: 'prompt',
  'prompt-2': 'prompt, part 2',
  system: 'what the system is told',
  history: 'earlier turns',
  tools: 'tools the model may call',
  chosen: 'chosen',
  rejected: 'rejected',
  a: 'answer 1',
  b: 'answer 2',
  label: 'label, one annotator',
  strength: 'strength of the label',
  'wins-a': 'yes if answer 1 wins',
  'wins-b': 'yes if answer 2 wins',
  'wins-tie': 'yes if they are tied',
  'name-a': 'name of answer 1, for labels',
  'name-b': 'name of answer 2, for labels',
  'reward-a': 'reward of answer 1',
  'reward-b': 'reward of answer 2',
  weight: 'weight of the row',
  id: 'row id',
  annotator: 'name of the annotator',
  split: 'side of the split',
  metadata: 'kept as metadata',
  ignore: 'left out',
}

export const LAYOUT_WORDS: Readonly<Record<ImportMapping['layout'], string>> = {
  'trl-explicit': 'prompt, chosen, rejected',
  'trl-implicit': 'chosen and rejected that share their beginning',
  'hh-rlhf': 'dialogues of Human and Assistant turns',
  mapped: 'columns by role',
  own: 'a layout of its own',
}

/** Roles whose change leaves the meaning of the labels as it was. */
const BESIDE: readonly ColumnRole[] = [
  'prompt',
  'prompt-2',
  'system',
  'history',
  'tools',
  'strength',
  'weight',
  'id',
  'annotator',
  'split',
  'ignore',
  'metadata',
]

/** The layout stays as it is: where the prompt is does not depend on what a column is called. */
export function setRole(mapping: ImportMapping, column: string, role: ColumnRole): ImportMapping {
  const before = mapping.columns[column] ?? 'metadata'
  const columns = { ...mapping.columns, [column]: role }
  // A column that becomes the prompt is read as one, and sides that lose theirs have it in common.
  const isRanked = Object.values(columns).includes('chosen') && !Object.values(columns).includes('a')
  const layout =
    role === 'prompt'
      ? isRanked
        ? 'trl-explicit'
        : 'mapped'
      : before === 'prompt' && isRanked
        ? 'trl-implicit'
        : mapping.layout
  const changed = { ...mapping, columns, layout }
  if (BESIDE.includes(role) && BESIDE.includes(before)) return changed
  return { ...changed, labelValues: null, labelScale: null, labelsSaidBy: 'file', labelWords: '' }
}

export function wordCount(value: Content): number {
  return toText(value)
    .split(/\s+/u)
    .filter((word) => word !== '').length
}
