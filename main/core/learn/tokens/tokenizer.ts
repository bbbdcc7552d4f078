import { BertNormalizer, Tokenizer as HuggingFaceTokenizer } from '@huggingface/tokenizers'
import { AppError } from '../../../../shared/errors.ts'
import { ExactBertNormalizer } from './bert-normalizer.ts'
import { END_TOKEN, PAD_TOKEN } from './bpe-trainer.ts'

export interface Tokenizer {
  readonly vocabSize: number
  /** What ends a completion, and is written after one in training. */
  readonly endId: number
  /** Every token that ends a completion which the model writes, `endId` first. */
  readonly stopIds: readonly number[]
  readonly padId: number
  /** What the tokenizer puts before any text of its own accord: a beginning-of-text token, or nothing. */
  readonly opening: readonly number[]
  /** Text as data: what looks like a special token in it stays text, so that no user's text can end a turn. */
  encode(text: string): number[]
  /** Text that was written by a template: special tokens are themselves. */
  encodeWithSpecial(text: string): number[]
  decode(ids: readonly number[], options?: { readonly skipSpecial?: boolean }): string
  /** The tokenizer.json it was made from. */
  readonly json: unknown
}

interface TokenizerFile {
  readonly added_tokens?: readonly { readonly id: number; readonly content: string }[]
  readonly model?: { readonly vocab?: Readonly<Record<string, number>> }
}

/** What the files beside a tokenizer.json say of it. */
export interface DeclaredTokens {
  /** Tokens that end what the model writes, most telling first. */
  readonly endIds?: readonly number[]
  readonly padId?: number | undefined
}

/** Names of the token that ends a turn, most telling first; asked for where nothing is declared. */
const END_TOKENS = [END_TOKEN, '<|im_end|>', '<|eot_id|>', '</s>'] as const

/**
 * @param json a tokenizer.json
 * @throws AppError `model-unsupported` for one that cannot be read or has no token to end with
 */
export function loadTokenizer(json: unknown, declared: DeclaredTokens = {}): Tokenizer {
  const file = json as TokenizerFile // checked by what follows and by the library
  const vocab = file.model?.vocab ?? {}
  const added = new Map((file.added_tokens ?? []).map((token) => [token.content, token.id]))
  const ids = [...Object.values(vocab), ...added.values()]
  const vocabSize = ids.reduce((largest, id) => Math.max(largest, id), 0) + 1 // too many to spread
  const stopIds = [...new Set(declared.endIds ?? [])].filter((id) => id >= 0 && id < vocabSize)
  const endId = stopIds[0] ?? END_TOKENS.map((name) => added.get(name) ?? vocab[name]).find((id) => id !== undefined)
  if (endId === undefined)
    throw new AppError({
      code: 'model-unsupported',
      message: `The tokenizer has none of the tokens ${END_TOKENS.join(', ')}.`,
      hint: 'Choose a model whose tokenizer can end a turn.',
    })
  const whole = createTokenizer(json)
  const plain = createTokenizer({ ...file, added_tokens: [] })
  const memory = new Map<string, number[]>()
  return {
    vocabSize,
    endId,
    stopIds: stopIds.length === 0 ? [endId] : stopIds,
    padId: declared.padId ?? added.get(PAD_TOKEN) ?? endId,
    opening: openingOf(whole),
    json,
    encode(text) {
      const known = memory.get(text)
      if (known !== undefined) return [...known]
      const ids = plain.encode(text, { add_special_tokens: false }).ids
      if (text.length < 4096 && memory.size < 20_000) memory.set(text, ids) // prompts recur
      return [...ids]
    },
    encodeWithSpecial: (text) => [...whole.encode(text, { add_special_tokens: false }).ids],
    decode: (ids, options = {}) =>
      ids.length === 0
        ? ''
        : whole.decode([...ids], {
            skip_special_tokens: options.skipSpecial ?? true,
            clean_up_tokenization_spaces: false,
          }),
  }
}

/** The ids before those of the text itself. */
function openingOf(tokenizer: HuggingFaceTokenizer): number[] {
  const bare = tokenizer.encode('a', { add_special_tokens: false }).ids
  const dressed = tokenizer.encode('a', { add_special_tokens: true }).ids
  const at = dressed.indexOf(bare[0] ?? -1)
  return at <= 0 ? [] : dressed.slice(0, at)
}

/** Digits of every script, as where the file comes from; the library's own rule knows those of ASCII alone. */
function withEveryDigit(cut: unknown): unknown {
  if (typeof cut !== 'object' || cut === null) return cut
  const {
    type,
    individual_digits: single,
    pretokenizers,
  } = cut as {
    readonly type?: unknown
    readonly individual_digits?: unknown
    readonly pretokenizers?: unknown
  }
  if (type === 'Digits')
    return {
      type: 'Split',
      pattern: { Regex: single === true ? '\\p{N}' : '\\p{N}+' },
      behavior: 'Isolated',
      invert: false,
    }
  if (!Array.isArray(pretokenizers)) return cut
  return { ...cut, pretokenizers: pretokenizers.map(withEveryDigit) }
}

/** @throws AppError `model-unsupported` for one that the library cannot read */
export function createTokenizer(json: unknown): HuggingFaceTokenizer {
  try {
    const file = json as { readonly pre_tokenizer?: unknown }
    const cut = withEveryDigit(file.pre_tokenizer)
    const tokenizer = new HuggingFaceTokenizer(
      (cut === file.pre_tokenizer ? file : { ...file, pre_tokenizer: cut }) as object,
      {},
    )
    if (tokenizer.normalizer instanceof BertNormalizer)
      tokenizer.normalizer = new ExactBertNormalizer(tokenizer.normalizer.config)
    return tokenizer
  } catch (error) {
    throw new AppError({
      code: 'model-unsupported',
      message: `The tokenizer cannot be read: ${error instanceof Error ? error.message : String(error)}`,
      hint: 'It must be a tokenizer.json as the Hugging Face libraries write it.',
      cause: error,
    })
  }
}
