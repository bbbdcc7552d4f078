import { hash } from 'node:crypto'
import type { ImportMapping } from '../../../shared/contract/import-mapping.ts'
import type { SplitName } from '../../../shared/data-kinds.ts'
import type { SplitSpec } from '../../../shared/run-spec.ts'

/**
 * Divides pairs so that all pairs of a prompt are on one side. Prompts are put in an order drawn from the seed and
 * dealt out: first to the test side until it has its share of the pairs, then to validation, the rest to training. The
 * order of the pairs does not matter, and a prompt keeps its place in the order when others are added.
 * @param promptHashes prompt of each pair [pair]
 * @param given sides that the source gives [pair]; they are kept where it names at least two, and pairs of their prompts join them
 * @returns side of each pair [pair]
 */
export function assignSplits(
  promptHashes: readonly string[],
  spec: SplitSpec,
  given: readonly (SplitName | null)[] = [],
): SplitName[] {
  const pairsPerPrompt = new Map<string, number>()
  for (const hash of promptHashes) pairsPerPrompt.set(hash, (pairsPerPrompt.get(hash) ?? 0) + 1)
  const order = [...pairsPerPrompt.keys()]
    .map((hash) => ({ hash, rank: rankOf(spec.seed, hash) }))
    .sort((x, y) => (x.rank < y.rank ? -1 : x.rank > y.rank ? 1 : 0))
  const wanted = { test: spec.test * promptHashes.length, validation: spec.validation * promptHashes.length }
  const sides = new Map<string, SplitName>()
  let taken = 0
  for (const side of ['test', 'validation'] as const) {
    let count = 0
    // A prompt goes to the side when that brings the side's size nearer to its share; the last prompt stays in training.
    for (; taken < order.length - 1; taken += 1) {
      const prompt = order[taken]
      if (prompt === undefined) break
      const pairs = pairsPerPrompt.get(prompt.hash) ?? 0
      const wouldMiss = Math.abs(count + pairs - wanted[side])
      if (wanted[side] === 0 || (count > 0 && wouldMiss > Math.abs(count - wanted[side]))) break
      sides.set(prompt.hash, side)
      count += pairs
    }
  }
  const named = new Set(given.filter((side) => side !== null))
  if (named.size < 2) return promptHashes.map((hash) => sides.get(hash) ?? 'train')
  const ofPrompt = new Map<string, SplitName>()
  promptHashes.forEach((hash, index) => {
    const side = given[index] ?? null
    if (side !== null && !ofPrompt.has(hash)) ofPrompt.set(hash, side)
  })
  return promptHashes.map((hash, index) => given[index] ?? ofPrompt.get(hash) ?? sides.get(hash) ?? 'train')
}

/** True where the sides are the source's own: a column of the file names them, and nobody drew others. */
export function keepsSourceSplit(mapping: ImportMapping): boolean {
  return Object.values(mapping.columns).includes('split')
}

/** The mapping of items whose source gives their sides; what it calls them is the reader's own affair. */
export function withSourceSplit(mapping: ImportMapping): ImportMapping {
  return { ...mapping, columns: { ...mapping.columns, split: 'split' } }
}

/** True where somebody asked for other sides than those that the source gives. */
export function drewOthers({ columns }: ImportMapping): boolean {
  return columns['split'] === 'metadata'
}

/** The mapping of a data set whose sides are drawn from now on; the column stays in the metadata. */
export function withDrawnSplit(mapping: ImportMapping): ImportMapping {
  return {
    ...mapping,
    columns: Object.fromEntries(
      Object.entries(mapping.columns).map(([column, role]) => [column, role === 'split' ? 'metadata' : role]),
    ),
  }
}

/** Lower-case hex, so that comparing the text orders the numbers. */
function rankOf(seed: number, promptHash: string): string {
  return hash('sha256', `split:${seed}:${promptHash}`)
}
