import { hash } from 'node:crypto'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { SplitName } from '../../../shared/data-kinds.ts'
import type { SplitSpec } from '../../../shared/run-spec.ts'
import { inSlices, type Sliced } from '../store/slices.ts'

/** Collects the prompts of an import while it runs: a dozen bytes a pair. */
export interface PromptTable {
  readonly itemCount: number
  readonly promptCount: number
  /** How many sides the source itself names; with fewer than two, sides are drawn. */
  readonly givenSides: number
  /** Prompts that the source puts on several sides, and the first pair that shows it. */
  readonly torn: { readonly prompts: number; readonly firstIndex: number | null }
  /**
   * @param promptHash 16 hex digits, of the pair that comes next
   * @param given the side that the source gives the pair
   */
  add(promptHash: string, given?: SplitName | null): void
  /** The same sides that `assignSplits` gives, found in small steps. @returns side of the pair at an index */
  assign(spec: SplitSpec): Promise<(index: number) => SplitName>
}

const SIDES = ['train', 'validation', 'test'] as const satisfies readonly SplitName[]
const TRAIN = 0
const START_SIZE = 1024
/** Prompts ranked before other work gets its turn. */
const STEP_PROMPTS = 500
const BUCKETS = 256
/** Parts of the table that grow apart from each other: one that grew whole would hold everybody up. */
const SHARDS = 256

/** A growing list of unsigned numbers. */
function createNumbers(): { values: Uint32Array; length: number } {
  return { values: new Uint32Array(START_SIZE), length: 0 }
}

function push(list: { values: Uint32Array; length: number }, value: number): void {
  if (list.length === list.values.length) {
    const larger = new Uint32Array(Math.ceil(list.length * 1.5))
    larger.set(list.values)
    list.values = larger
  }
  list.values[list.length] = value
  list.length += 1
}

export function createPromptTable(): PromptTable {
  const promptOf = createNumbers() // prompt number [pair]
  const high = createNumbers() // halves of the hash [prompt]
  const low = createNumbers()
  const pairs = createNumbers() // pairs of the prompt [prompt]
  const givenTo = createNumbers() // 1 + the side that the source gives [pair], 0 for none
  const firstSide = createNumbers() // the same of the prompt's first pair that has one [prompt]
  const sidesGiven = new Set<SplitName>()
  const torn = { prompts: new Set<number>(), firstIndex: null as number | null }
  const shards = Array.from({ length: SHARDS }, () => ({ slots: new Uint32Array(16), used: 0 })) // prompt number + 1, 0 where free

  /** @returns the prompt's number, or ~ the free slot that is its */
  function find(slots: Uint32Array, first: number, second: number): number {
    const mask = slots.length - 1
    let slot = (second ^ Math.imul(first, 0x9e3779b1)) & mask
    for (;;) {
      const prompt = (slots[slot] ?? 0) - 1
      if (prompt === -1) return ~slot
      if (high.values[prompt] === first && low.values[prompt] === second) return prompt
      slot = (slot + 1) & mask
    }
  }

  function insert(shard: { slots: Uint32Array; used: number }, slot: number, first: number, second: number): number {
    const prompt = high.length
    shard.slots[slot] = prompt + 1
    shard.used += 1
    push(high, first)
    push(low, second)
    push(pairs, 0)
    push(firstSide, 0)
    if (shard.used * 4 > shard.slots.length * 3) {
      const larger = new Uint32Array(shard.slots.length * 2)
      for (const held of shard.slots)
        if (held > 0) larger[~find(larger, high.values[held - 1] ?? 0, low.values[held - 1] ?? 0)] = held
      shard.slots = larger
    }
    return prompt
  }

  function noteGiven(prompt: number, given: SplitName): void {
    const side = SIDES.indexOf(given) + 1
    sidesGiven.add(given)
    const known = firstSide.values[prompt] ?? 0
    if (known === 0) firstSide.values[prompt] = side
    else if (known !== side) {
      torn.prompts.add(prompt)
      torn.firstIndex ??= promptOf.length - 1
    }
  }

  return {
    get givenSides() {
      return sidesGiven.size
    },
    get torn() {
      return { prompts: torn.prompts.size, firstIndex: torn.firstIndex }
    },
    get itemCount() {
      return promptOf.length
    },
    get promptCount() {
      return high.length
    },
    add(promptHash, given = null) {
      const first = Number.parseInt(promptHash.slice(0, 8), 16)
      const second = Number.parseInt(promptHash.slice(8), 16)
      const shard = shards[first >>> 24] ?? shards[0]!
      const found = find(shard.slots, first, second)
      const prompt = found < 0 ? insert(shard, ~found, first, second) : found
      push(promptOf, prompt)
      pairs.values[prompt] = (pairs.values[prompt] ?? 0) + 1
      push(givenTo, given === null ? 0 : SIDES.indexOf(given) + 1)
      if (given !== null) noteGiven(prompt, given)
    },
    async assign(spec) {
      const count = high.length
      const hashOf = (prompt: number): string => hex(high.values[prompt] ?? 0) + hex(low.values[prompt] ?? 0)
      const order = await rankPrompts(count, hashOf, spec.seed)
      const sides = await inSlices(deal(order, pairs.values, promptOf.length, spec))
      const keeps = sidesGiven.size > 1
      return (index) => {
        const prompt = promptOf.values[index] ?? 0
        // A pair without a side goes where the source put its prompt.
        const given = keeps ? givenTo.values[index] || firstSide.values[prompt] || 0 : 0
        return SIDES[given > 0 ? given - 1 : (sides[prompt] ?? TRAIN)] ?? 'train'
      }
    },
  }
}

function hex(value: number): string {
  return value.toString(16).padStart(8, '0')
}

/** Prompts by the digest that the seed gives them, as `assignSplits` ranks them: by their first 64 bits, bucket by bucket. */
async function rankPrompts(count: number, hashOf: (prompt: number) => string, seed: number): Promise<Uint32Array> {
  const first = new Uint32Array(count)
  const second = new Uint32Array(count)
  const sizes = new Uint32Array(BUCKETS + 1)
  for (let prompt = 0; prompt < count; prompt += 1) {
    // As text: a million buffers that are freed together hold the process when the allocator tidies up after them.
    const digest = hash('sha256', `split:${seed}:${hashOf(prompt)}`)
    first[prompt] = Number.parseInt(digest.slice(0, 8), 16)
    second[prompt] = Number.parseInt(digest.slice(8, 16), 16)
    const bucket = Number.parseInt(digest.slice(0, 2), 16) + 1
    sizes[bucket] = (sizes[bucket] ?? 0) + 1
    if (prompt % STEP_PROMPTS === STEP_PROMPTS - 1) await nextTurn()
  }
  const starts = sizes.map((_, bucket) => sizes.subarray(0, bucket + 1).reduce((sum, size) => sum + size, 0))
  const next = starts.slice()
  const order = new Uint32Array(count)
  for (let prompt = 0; prompt < count; prompt += 1) {
    const bucket = (first[prompt] ?? 0) >>> 24
    const place = next[bucket] ?? 0
    order[place] = prompt
    next[bucket] = place + 1
  }
  for (let bucket = 0; bucket < BUCKETS; bucket += 1) {
    order
      .subarray(starts[bucket], starts[bucket + 1])
      .sort((x, y) => (first[x] ?? 0) - (first[y] ?? 0) || (second[x] ?? 0) - (second[y] ?? 0))
    if (count > STEP_PROMPTS) await nextTurn()
  }
  return order
}

/** Deals prompts out: first to the test side until it has its share of the pairs, then to validation. @returns side [prompt] */
function* deal(order: Uint32Array, pairsOf: Uint32Array, itemCount: number, spec: SplitSpec): Sliced<Uint8Array> {
  const sides = new Uint8Array(order.length)
  let taken = 0
  for (const [side, share] of [
    [2, spec.test],
    [1, spec.validation],
  ] as const) {
    const wanted = share * itemCount
    let count = 0
    for (; taken < order.length - 1; taken += 1) {
      const prompt = order[taken] ?? 0
      const pairs = pairsOf[prompt] ?? 0
      if (wanted === 0 || (count > 0 && Math.abs(count + pairs - wanted) > Math.abs(count - wanted))) break
      sides[prompt] = side
      count += pairs
      if (taken % STEP_PROMPTS === 0) yield
    }
  }
  return sides
}
