import { z } from 'zod'
import { AppError } from '../../../../shared/errors.ts'
import { createTokenizer } from './tokenizer.ts'

/** Turns a text that is to be embedded into ids: framed as the model was trained ([CLS] … [SEP]) and cut to a length. */
export interface TextTokenizer {
  readonly vocabSize: number
  readonly padId: number
  /** Tokens of the frame, which are in every text. */
  readonly frameSize: number
  /**
   * The text is data: what looks like a special token in it stays text. Whatever does not fit is cut from the end, not
   * from the frame. @param maxTokens with the frame; at least that long
   */
  encode(text: string, maxTokens?: number): { readonly ids: number[]; readonly cut: boolean }
  /** The tokenizer.json it was made from. */
  readonly json: unknown
}

const tokenizerFile = z.looseObject({
  added_tokens: z
    .array(z.looseObject({ id: z.int(), content: z.string(), special: z.boolean().default(false) }))
    .default([]),
  model: z.looseObject({
    vocab: z.union([z.record(z.string(), z.int()), z.array(z.unknown())]).optional(),
    unk_token: z.string().nullish(),
  }),
  padding: z.looseObject({ pad_id: z.int() }).nullish(),
})

/** Usual names of the token that fills rows up. */
const PAD_TOKENS = ['[PAD]', '<pad>', '<|pad|>', '<|endoftext|>', '</s>'] as const

export interface TextTokenizerOptions {
  /** Of sentence_bert_config.json: lower case before anything else. */
  readonly lowercase?: boolean
}

/**
 * @param json a tokenizer.json of any model, an encoder's or a decoder's; its own truncation and padding are not used
 * @throws AppError `model-unsupported` for one that cannot be read
 */
export function loadTextTokenizer(json: unknown, { lowercase = false }: TextTokenizerOptions = {}): TextTokenizer {
  const parsed = tokenizerFile.safeParse(json)
  if (!parsed.success)
    throw new AppError({
      code: 'model-unsupported',
      message: 'The tokenizer cannot be read: tokenizer.json has no model.',
      hint: 'It must be a tokenizer.json as the Hugging Face libraries write it.',
    })
  const { added_tokens: added, model, padding } = parsed.data
  const whole = createTokenizer(json)
  const plain = createTokenizer({ ...(json as object), added_tokens: added.filter((token) => !token.special) })
  const idOf = (token: string): number | undefined =>
    added.find(({ content }) => content === token)?.id ?? whole.token_to_id(token)
  const unknown = model.unk_token == null ? undefined : idOf(model.unk_token)
  const special = new Set(added.filter((token) => token.special && token.id !== unknown).map((token) => token.id))
  const { before, after } = frameOf(whole)
  const ids = Array.isArray(model.vocab) ? [model.vocab.length - 1] : Object.values(model.vocab ?? {})
  const frameSize = before.length + after.length
  return {
    vocabSize: [...ids, ...added.map((token) => token.id)].reduce((largest, id) => Math.max(largest, id), -1) + 1,
    padId: padding?.pad_id ?? PAD_TOKENS.map(idOf).find((id) => id !== undefined) ?? 0,
    frameSize,
    json,
    encode(text, maxTokens = Number.POSITIVE_INFINITY) {
      if (maxTokens < Math.max(1, frameSize))
        throw new RangeError(`${maxTokens} tokens do not hold the ${frameSize} that stand around every text`)
      const found =
        text === '' ? [] : plain.encode(lowercase ? text.toLowerCase() : text, { add_special_tokens: false }).ids
      // A vocabulary that splits at spaces alone could still hold a special token's text as a word.
      const inner = found.flatMap((id) => (special.has(id) ? (unknown === undefined ? [] : [unknown]) : [id]))
      const room = maxTokens - frameSize
      return { ids: [...before, ...inner.slice(0, room), ...after], cut: inner.length > room }
    },
  }
}

/** What the tokenizer puts around a text, seen by encoding one with it and without. */
function frameOf(tokenizer: ReturnType<typeof createTokenizer>): {
  readonly before: readonly number[]
  readonly after: readonly number[]
} {
  const bare = tokenizer.encode('a', { add_special_tokens: false }).ids
  const framed = tokenizer.encode('a', { add_special_tokens: true }).ids
  for (let start = 0; start + bare.length <= framed.length; start += 1) {
    if (bare.every((id, at) => framed[start + at] === id))
      return { before: framed.slice(0, start), after: framed.slice(start + bare.length) }
  }
  throw new AppError({
    code: 'model-unsupported',
    message: 'The tokenizer changes a text when it puts special tokens around it.',
    hint: 'Choose a model whose post-processor only adds tokens.',
  })
}
