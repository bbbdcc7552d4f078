import type { Recognition } from '../../../shared/contract/imports.ts'

/** What looking at the content of a file tells. */
export type Findings = Pick<Recognition, 'kind' | 'because' | 'hint' | 'others' | 'columns'>

/** "a, b and c" */
export function listed(names: readonly string[], most = 6): string {
  const shown = names.length > most ? [...names.slice(0, most - 1), `${names.length - most + 1} more`] : names
  return shown.length < 2 ? shown.join('') : `${shown.slice(0, -1).join(', ')} and ${shown.at(-1) ?? ''}`
}
