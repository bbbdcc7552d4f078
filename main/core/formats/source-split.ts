import type { SplitName } from '../../../shared/data-kinds.ts'

const WORDS: readonly (readonly [RegExp, SplitName])[] = [
  [/^train(ing)?\d*$/, 'train'],
  [/^(val|valid|validation|dev|development|eval|evaluation)\d*$/, 'validation'],
  [/^(test|testing|holdout|heldout|hold|held)\d*$/, 'test'],
]
const MOST_WORDS = 4

/** The side that a source's own word means: train, train_prefs, dev, valid2, held-out; null for any other word. */
export function readSplitName(value: unknown): SplitName | null {
  if (typeof value !== 'string') return null
  const words = value
    .trim()
    .toLowerCase()
    .split(/[\s_.-]+/)
  if (words.length > MOST_WORDS) return null
  const sides = new Set(words.flatMap((word) => WORDS.flatMap(([pattern, side]) => (pattern.test(word) ? [side] : []))))
  const [side] = sides
  return sides.size === 1 ? (side ?? null) : null
}
