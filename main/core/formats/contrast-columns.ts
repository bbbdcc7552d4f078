// What the columns of a file of texts are called in the sets that people publish, and what they then mean.

/** Names of columns by what they hold, in lower case with `_` for blanks and dashes. First match wins. */
const NAMES = {
  query: [
    'query',
    'anchor',
    'sentence1',
    'sentence_1',
    'sentence_a',
    'text1',
    'text_1',
    'text_a',
    'sent1',
    'premise',
    'question1',
    'question',
  ],
  positive: [
    'positive',
    'pos',
    'positives',
    'sentence2',
    'sentence_2',
    'sentence_b',
    'text2',
    'text_2',
    'text_b',
    'sent2',
    'hypothesis',
    'question2',
    'answer',
  ],
  score: ['score', 'similarity', 'similarity_score', 'sim', 'relatedness_score', 'relatedness', 'gold_score'],
  label: ['label', 'labels', 'gold_label', 'is_duplicate', 'entailment_label', 'entailment_judgment', 'entailment'],
  text: ['text', 'sentence', 'sentences', 'content'],
  list: ['set', 'texts'],
  split: ['split', 'semeval_set'],
  source: ['source'],
} as const
const NEGATIVE = /^(?:hard_)?neg(?:ative)?s?(?:_\d+)?$/

export type ContrastRole = keyof typeof NAMES

/** Which column has which role; null where none has. */
export type ContrastColumns = Readonly<Record<ContrastRole, string | null>> & { readonly negatives: readonly string[] }

export function findColumns(columns: readonly string[]): ContrastColumns {
  const plain = new Map(
    columns.map((column) => [
      column
        .trim()
        .toLowerCase()
        .replace(/[\s-]+/g, '_'),
      column,
    ]),
  )
  const find = (role: ContrastRole): string | null => {
    const name = NAMES[role].find((candidate) => plain.has(candidate))
    return name === undefined ? null : plain.get(name)!
  }
  return {
    query: find('query'),
    positive: find('positive'),
    score: find('score'),
    label: find('label'),
    text: find('text'),
    list: find('list'),
    split: find('split'),
    source: find('source'),
    negatives: [...plain].filter(([name]) => NEGATIVE.test(name)).map(([, column]) => column),
  }
}

/** True where the columns say what an item is. */
export function areKnown({ query, positive, text, list }: ContrastColumns): boolean {
  return (query !== null && positive !== null) || text !== null || list !== null
}

/** The set whose own columns these are, and how its scores run, whatever the largest in the file is; null where nobody's are. */
export function findScoredSet(
  columns: readonly string[],
): { readonly name: string; readonly low: number; readonly high: number } | null {
  const plain = columns.map((column) => column.trim().toLowerCase())
  const has = (...names: readonly string[]): boolean => names.every((name) => plain.includes(name))
  if (has('genre', 'sentence1', 'score')) return { name: 'STS-B', low: 0, high: 5 }
  if (has('sentence_a', 'relatedness_score')) return { name: 'SICK', low: 1, high: 5 }
  return null
}
