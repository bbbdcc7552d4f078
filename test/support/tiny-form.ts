/** A training that ends at once: label of a setting → what is typed where the form has it. */
export const TINY_FORM: readonly (readonly [label: string, text: string])[] = [
  ['Steps', '2'],
  ['Batch', '2'],
  ['Longest sequence', '64'],
  ['Evaluate every', '0'],
  ['Checkpoint every', '0'],
  ['Sample prompts', '0'],
  ['Pairs per evaluation', '2'],
  ['Queries per evaluation', '2'],
  ['Texts per evaluation', '2'],
  ['Longest completion', '4'],
  ['Longest rationale', '4'],
  ['System prompt', 'think'],
  ['Seeds', '1'],
]
