export interface Entry {
  readonly id: string
  readonly title: string
  readonly group: string
  readonly note?: string
  readonly keys?: readonly string[]
  run(): void
}

const SHOWN = 60

/**
 * How well a title answers a query: every word of the query must begin a word of the title (best), stand somewhere
 * in it, or be spelled by its letters in order (worst). 0 is no match.
 */
export function scoreMatch(query: string, title: string): number {
  const text = title.toLowerCase()
  let score = 1
  for (const word of query
    .toLowerCase()
    .split(/\s+/)
    .filter((part) => part !== '')) {
    const found = text.indexOf(word)
    if (found === 0) score += 6
    else if (found > 0) score += /[\s\-–/·.,(]/.test(text[found - 1] ?? '') ? 4 : 2
    else if (isSubsequence(word, text)) score += 0.5
    else return 0
  }
  return score
}

function isSubsequence(word: string, text: string): boolean {
  let from = 0
  for (const letter of word) {
    const found = text.indexOf(letter, from)
    if (found < 0) return false
    from = found + 1
  }
  return word.length > 1
}

/** The entries that match, best first, kept together by group in the order of each group's best. */
export function rankCommands(entries: readonly Entry[], query: string): readonly Entry[] {
  const scored = entries
    .map((entry) => ({ entry, score: scoreMatch(query, `${entry.title} ${entry.note ?? ''}`) }))
    .filter(({ score }) => score > 0)
  const best = new Map<string, number>()
  for (const { entry, score } of scored) best.set(entry.group, Math.max(best.get(entry.group) ?? 0, score))
  const order = [...best.keys()].toSorted((one, two) => (best.get(two) ?? 0) - (best.get(one) ?? 0))
  return scored
    .toSorted((one, two) => order.indexOf(one.entry.group) - order.indexOf(two.entry.group) || two.score - one.score)
    .slice(0, SHOWN)
    .map(({ entry }) => entry)
}
