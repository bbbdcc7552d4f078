import { z } from 'zod'
import type { DataKind } from './data-kinds.ts'
import { KIND_WORDS } from './kind-words.ts'

/** Something about a whole data set that makes what is trained on it worth less than it looks. */
export const datasetWarning = z.strictObject({
  code: z.enum([
    'prompts-empty',
    'one-group',
    'nothing-held-out',
    'nothing-to-validate',
    'nothing-to-test',
    'nothing-to-train',
  ]),
  text: z.string(),
  hint: z.string(),
})
export type DatasetWarning = z.infer<typeof datasetWarning>

export interface DatasetCounts {
  readonly kind: DataKind
  readonly itemCount: number
  /** Different prompts, or groups of another kind. */
  readonly promptCount: number
  /** Whether the first pair's prompt is empty. */
  readonly firstPromptEmpty: boolean
  readonly split: { readonly train: number; readonly validation: number; readonly test: number }
}

/** In the order of their weight; none for a data set with nothing to say of. */
export function warnAboutDataset({
  kind,
  itemCount,
  promptCount,
  firstPromptEmpty,
  split,
}: DatasetCounts): DatasetWarning[] {
  const words = KIND_WORDS[kind]
  const warnings: DatasetWarning[] = []
  const warn = (code: DatasetWarning['code'], text: string, hint: string): void =>
    void warnings.push({ code, text, hint })
  if (itemCount > 1 && promptCount === 1) {
    if (kind === 'response-pairs' && firstPromptEmpty)
      warn(
        'prompts-empty',
        `The prompt is empty in every one of the ${itemCount} rows.`,
        'A model would learn to answer nothing in particular. If the file has the questions in a column, import it again with that column as the prompt.',
      )
    else
      warn(
        'one-group',
        `All ${itemCount} ${words.items} have the same ${words.group}.`,
        `A split keeps a ${words.group} together, so nothing can be held out. Check whether the right column was read as the ${words.group}.`,
      )
  }
  if (split.train === 0)
    warn(
      'nothing-to-train',
      'Nothing is on the training side of the split.',
      'Split the data set again, or import the part that is to be trained on.',
    )
  const missing = [split.validation === 0 ? 'validation' : null, split.test === 0 ? 'test' : null].filter(
    (side) => side !== null,
  )
  if (missing.length === 2)
    warn(
      'nothing-held-out',
      'No held-out side: validation and test are empty.',
      'Nothing will say how well a run does on what it has not seen. Import more, or split the data set again.',
    )
  else if (missing[0] === 'validation')
    warn(
      'nothing-to-validate',
      'The validation side is empty.',
      'Nothing is chosen by the test side: each run sets a part of the training side aside to validate on, whole prompts at a time. Split the data set again to have it fixed.',
    )
  else if (missing[0] === 'test')
    warn(
      'nothing-to-test',
      'The test side is empty.',
      'A run is then judged by what its checkpoints were chosen on. Split the data set again.',
    )
  return warnings
}
