import type { ColumnRole, ImportMapping } from '../../shared/contract/datasets.ts'
import { toText, type Content } from '../../shared/data-kinds.ts'

/** Roles in the words of the page, in the order of the list. */
export const ROLE_WORDS: Readonly<Record<ColumnRole, string>> = {
  prompt: 'prompt',
  'prompt-2': 'prompt, part 2',
  chosen: 'chosen',
  rejected: 'rejected',
  a: 'answer 1',
  b: 'answer 2',
  label: 'label, one annotator',
  strength: 'strength of the label',
  'reward-a': 'reward of answer 1',
  'reward-b': 'reward of answer 2',
  weight: 'weight of the row',
  id: 'row id',
  annotator: 'name of the annotator',
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

export function setRole(mapping: ImportMapping, column: string, role: ColumnRole): ImportMapping {
  return { ...mapping, columns: { ...mapping.columns, [column]: role } }
}

export function wordCount(value: Content): number {
  return toText(value).split(/\s+/u).filter((word) => word !== '').length
}
