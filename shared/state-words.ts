import type { RunSummary } from './contract/runs.ts'

/** The state in a word. What a person stopped, with its checkpoint saved, was not interrupted by anything. */
export function stateWord({
  state,
  stopped,
}: Pick<RunSummary, 'state'> & { readonly stopped?: boolean | undefined }): string {
  return stopped === true ? 'stopped' : state
}
