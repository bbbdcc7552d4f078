// Byte-level byte-pair encoding (Sennrich et al., 2016; Radford et al., 2019), trained on the words of the user's own
// data. Deterministic: the same texts give the same tokenizer, whatever their order of equal counts.
import { createHeap } from './heap.ts'

// Every runtime has it, but no library of plain ECMAScript declares it.
declare class TextEncoder {
  encode(text: string): Uint8Array
}

/** Ends a completion (the end of a turn). */
export const END_TOKEN = '<|endoftext|>'
/** Fills rows up to the longest of a batch. */
export const PAD_TOKEN = '<|pad|>'
const SPECIAL_TOKENS = [END_TOKEN, PAD_TOKEN] as const

/** GPT-2's words: contractions, letters, numbers and other signs with a space before them, runs of white space. */
const WORDS = /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+/gu

/** GPT-2's printable letter for each byte, so that a token is text. */
export function byteAlphabet(): readonly string[] {
  const printable = (byte: number): boolean =>
    (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174
  let extra = 0
  return Array.from({ length: 256 }, (_none, byte) => String.fromCodePoint(printable(byte) ? byte : 256 + extra++))
}

interface Word {
  symbols: number[]
  readonly count: number
}

interface PairEntry {
  readonly left: number
  readonly right: number
  readonly count: number
}

/**
 * @param texts what the model will read
 * @param vocabSize of the whole vocabulary; 2 special tokens and 256 bytes come first, the rest are merges
 * @returns a tokenizer.json in Hugging Face's layout; smaller than asked for when the texts have no more pairs
 */
export function trainBpe(texts: Iterable<string>, vocabSize: number): TokenizerJson {
  const alphabet = byteAlphabet()
  const tokens = [...SPECIAL_TOKENS, ...alphabet.toSorted()]
  const idOf = new Map(tokens.map((token, id) => [token, id]))
  const words = countWords(texts, alphabet, idOf)
  const merges: [string, string][] = []
  const pairs = createPairs(words)
  while (tokens.length < vocabSize) {
    const best = pairs.takeBest()
    if (best === null || best.count < 2) break
    const left = tokens[best.left] ?? ''
    const right = tokens[best.right] ?? ''
    merges.push([left, right])
    tokens.push(left + right)
    pairs.merge(best.left, best.right, tokens.length - 1)
  }
  return tokenizerJson(tokens, merges)
}

/** Bytes alone: nothing to train, nothing unknown. */
export function byteTokenizer(): TokenizerJson {
  return tokenizerJson([...SPECIAL_TOKENS, ...byteAlphabet().toSorted()], [])
}

function countWords(texts: Iterable<string>, alphabet: readonly string[], idOf: ReadonlyMap<string, number>): Word[] {
  const counts = new Map<string, number>()
  for (const text of texts)
    for (const [word] of text.normalize('NFC').matchAll(WORDS)) counts.set(word, (counts.get(word) ?? 0) + 1)
  const encoder = new TextEncoder()
  // Sorted, so that nothing depends on the order of the texts.
  return [...counts]
    .toSorted(([one], [two]) => (one < two ? -1 : 1))
    .map(([word, count]) => ({
      symbols: Array.from(encoder.encode(word), (byte) => idOf.get(alphabet[byte] ?? '') ?? 0),
      count,
    }))
}

interface Pairs {
  takeBest(): PairEntry | null
  merge(left: number, right: number, merged: number): void
}

const SHIFT = 2 ** 26

/** Counts of neighbouring symbols, kept true by each merge; the heap holds old counts too, which are skipped. */
function createPairs(words: readonly Word[]): Pairs {
  const counts = new Map<number, number>()
  const places = new Map<number, Set<number>>()
  const heap = createHeap<PairEntry>(
    (one, two) => two.count - one.count || one.left - two.left || one.right - two.right,
  )
  const keyOf = (left: number, right: number): number => left * SHIFT + right

  function change(left: number, right: number, by: number, word: number): void {
    const key = keyOf(left, right)
    const count = (counts.get(key) ?? 0) + by
    counts.set(key, count)
    if (by > 0) {
      const at = places.get(key) ?? new Set()
      places.set(key, at.add(word))
    }
  }

  function push(left: number, right: number): void {
    const count = counts.get(keyOf(left, right)) ?? 0
    if (count > 1) heap.push({ left, right, count })
  }

  for (const [at, word] of words.entries()) forPairs(word.symbols, (left, right) => change(left, right, word.count, at))
  for (const key of counts.keys()) push(Math.floor(key / SHIFT), key % SHIFT)

  return {
    takeBest() {
      for (let best = heap.pop(); best !== null; best = heap.pop()) {
        if (counts.get(keyOf(best.left, best.right)) === best.count) return best
      }
      return null
    },
    merge(left, right, merged) {
      const touched = new Set<number>()
      for (const at of places.get(keyOf(left, right)) ?? []) {
        const word = words[at]
        if (word === undefined) continue
        // A pair that only lost is touched, too: its old entry in the heap is void now.
        const changeAll = (by: number): void =>
          forPairs(word.symbols, (one, two) => {
            change(one, two, by, at)
            touched.add(keyOf(one, two))
          })
        changeAll(-word.count)
        word.symbols = mergeSymbols(word.symbols, left, right, merged)
        changeAll(word.count)
      }
      places.delete(keyOf(left, right))
      counts.delete(keyOf(left, right))
      for (const key of touched) push(Math.floor(key / SHIFT), key % SHIFT)
    },
  }
}

function forPairs(symbols: readonly number[], visit: (left: number, right: number) => void): void {
  for (let at = 1; at < symbols.length; at += 1) visit(symbols[at - 1] ?? 0, symbols[at] ?? 0)
}

function mergeSymbols(symbols: readonly number[], left: number, right: number, merged: number): number[] {
  const result: number[] = []
  for (let at = 0; at < symbols.length; at += 1) {
    const both = symbols[at] === left && symbols[at + 1] === right
    result.push(both ? merged : (symbols[at] ?? 0))
    if (both) at += 1
  }
  return result
}

/** Hugging Face's tokenizer.json, as far as we write it. */
export interface TokenizerJson {
  readonly version: string
  readonly added_tokens: readonly { readonly id: number; readonly content: string; readonly special: boolean }[]
  readonly [key: string]: unknown
}

function tokenizerJson(tokens: readonly string[], merges: readonly (readonly [string, string])[]): TokenizerJson {
  const byteLevel = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true }
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: SPECIAL_TOKENS.map((content, id) => ({
      id,
      content,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: true,
    })),
    normalizer: { type: 'NFC' }, // a letter and its accent are the same tokens however they were typed
    pre_tokenizer: byteLevel,
    post_processor: byteLevel,
    decoder: byteLevel,
    model: bpeModel(tokens, merges),
  }
}

/** The model of a tokenizer.json by byte-pair encoding. @param settings in place of the usual ones */
export function bpeModel(
  tokens: readonly string[],
  merges: readonly (string | readonly [string, string])[],
  settings: Readonly<Record<string, unknown>> = {},
): Record<string, unknown> {
  return {
    type: 'BPE',
    dropout: null,
    unk_token: null,
    continuing_subword_prefix: null,
    end_of_word_suffix: null,
    fuse_unk: false,
    byte_fallback: false,
    ignore_merges: false,
    ...settings,
    vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
    merges,
  }
}
