import type { ModelSummary } from '../../shared/contract/models.ts'

/** Why no run can start from the model; null when one can. @param encodes the method trains something that embeds texts */
export function whyNotTrainable(
  { kind, hasTokenizer, state }: Pick<ModelSummary, 'kind' | 'hasTokenizer' | 'state'>,
  encodes = false,
): string | null {
  if (kind !== 'decoder' && !encodes) return 'an encoder writes no text'
  if (!hasTokenizer) return 'no tokenizer.json'
  if (state === 'missing') return 'its files are gone'
  return state === 'changed' ? 'its files changed: verify it' : null
}
