import type { ImportMapping } from '../../shared/contract/datasets.ts'
import type { RowValues } from './readers.ts'

type LabelValues = ImportMapping['labelValues']

const WORDS: LabelValues = {
  a: ['a', 'left', 'first', 'model_a', 'response_a', 'response1', 'response_1', 'completion_a', 'option_a', 'answer_a', 'output_1', 'assistant_a'],
  b: ['b', 'right', 'second', 'model_b', 'response_b', 'response2', 'response_2', 'completion_b', 'option_b', 'answer_b', 'output_2', 'assistant_b'],
  tie: ['tie', 'equal', 'same', 'draw', 'none', 'no preference'],
  bothBad: ['tie (bothbad)', 'both-bad', 'both_bad', 'bothbad', 'both bad', 'neither'],
  skip: ['skip', 'skipped'],
}

/**
 * What numbers stand for, by which of them occur: 0/1/2 is tie, first, second (PandaLM); 0/1 alone is the index of the
 * winner (OpenAI's comparisons); −1/0/1 is second, tie, first. Rows that show more values later are reported, and the
 * mapping can be changed by hand.
 */
export function guessLabelValues(labelColumns: readonly string[], rows: readonly RowValues[], sides: { readonly a: string; readonly b: string } | null): LabelValues {
  const seen = new Set<string>()
  for (const row of rows) {
    for (const column of labelColumns) {
      const value = row[column]
      if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') seen.add(String(value).trim())
    }
  }
  const numbers = numberMeaning(seen)
  return {
    a: [...numbers.a, ...(sides === null ? [] : [sides.a]), ...without(WORDS.a, sides)],
    b: [...numbers.b, ...(sides === null ? [] : [sides.b]), ...without(WORDS.b, sides)],
    tie: [...numbers.tie, ...WORDS.tie],
    bothBad: WORDS.bothBad,
    skip: WORDS.skip,
  }
}

/** `response_1` is the second answer in a file that counts from 0. */
function without(words: readonly string[], sides: { readonly a: string; readonly b: string } | null): string[] {
  return words.filter((word) => sides === null || (word !== sides.a.toLowerCase() && word !== sides.b.toLowerCase()))
}

function numberMeaning(seen: ReadonlySet<string>): { readonly a: string[]; readonly b: string[]; readonly tie: string[] } {
  if (seen.has('-1')) return { a: ['1'], b: ['-1'], tie: ['0'] }
  if (seen.has('2')) return { a: ['1'], b: ['2'], tie: ['0'] }
  if (seen.has('0') && seen.has('1')) return { a: ['0'], b: ['1'], tie: seen.has('0.5') ? ['0.5'] : [] }
  if (seen.has('true') || seen.has('false')) return { a: ['true'], b: ['false'], tie: [] }
  return { a: ['1'], b: ['2'], tie: ['0'] }
}
