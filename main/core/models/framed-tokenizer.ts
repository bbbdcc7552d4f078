import { tokenText } from './model-files.ts'

/** A tokenizer.json that puts these tokens around every text, and nothing else. Names are those of its own tokens. */
export function framedBy(json: unknown, before: readonly number[], after: readonly number[]): object {
  const names = new Map([...before, ...after].map((id) => [id, tokenText(json, id) ?? String(id)] as const))
  if (names.size === 0) return { ...(json as object), post_processor: null }
  const special = (ids: readonly number[], type: number): object[] =>
    ids.map((id) => ({ SpecialToken: { id: names.get(id)!, type_id: type } })) // one each
  const around = (sequence: 'A' | 'B', type: number): object[] => [
    ...special(before, type),
    { Sequence: { id: sequence, type_id: type } },
    ...special(after, type),
  ]
  return {
    ...(json as object),
    post_processor: {
      type: 'TemplateProcessing',
      single: around('A', 0),
      pair: [...around('A', 0), ...around('B', 1)],
      special_tokens: Object.fromEntries(
        [...names].map(([id, name]) => [name, { id: name, ids: [id], tokens: [name] }]),
      ),
    },
  }
}
