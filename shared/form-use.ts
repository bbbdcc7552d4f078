import type { FormField } from './form.ts'

/** What a run is made of, as far as settings depend on it. */
export interface RunUse {
  readonly data: string
  /** Kind of the model it starts from. */
  readonly model: string
  /** Whether the method's loss compares with a reference policy. */
  readonly reference: boolean
}

/** What a method that learns nothing reads of the training settings. */
export const READ_WITHOUT_TRAINING: readonly string[] = ['samplePrompts']

/** Whether a field matters for the choices that were made. @param textOf what stands in another field, by its path */
export function matters(
  field: Pick<FormField, 'when' | 'unless' | 'reference' | 'data' | 'models'>,
  use: RunUse,
  textOf: (path: string) => string | undefined,
): boolean {
  if (field.data?.includes(use.data) === false || field.models?.includes(use.model) === false) return false
  if (field.reference && !use.reference) return false
  const chosenIn = (choice: FormField['when']): boolean | null => {
    const chosen = choice === null ? undefined : textOf(choice.path)
    return choice === null || chosen === undefined ? null : choice.values.includes(chosen.trim())
  }
  return chosenIn(field.when) !== false && chosenIn(field.unless) !== true
}
